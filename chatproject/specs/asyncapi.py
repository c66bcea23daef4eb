"""`docs/asyncapi.yaml` (AsyncAPI 3.0): the WebSocket as those who write apps read it, out of the registry of frames."""

from typing import Any

from django.conf import settings

from chatproject.core.jsonschema import JSONObject
from chatproject.server.close_codes import CloseCode
from messaging.socket.server_frames import ACKNOWLEDGED, Schemas

REF: JSONObject = {"type": "string", "maxLength": 64}
SECURITY: dict[str, JSONObject] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer <access>`."},
    "ticket": {"type": "httpApiKey", "in": "query", "name": "ticket", "description": "From `POST /auth/ticket`; once."},
    "cookie": {"type": "httpApiKey", "in": "cookie", "name": "sessionid", "description": "With an allowed Origin."},
    "frame": {"type": "userPassword", "description": "A first frame `connect` with an access token, within 5 seconds."},
}


def asyncapi() -> JSONObject:
    """Write the socket down."""
    known = Schemas()
    commands = {f"{name}.command": _message(name, {"allOf": [schema]}) for name, schema in known.commands.items()}
    events = {name: _message(name, _frame(name, data)) for name, data in known.data.items()}
    acks = {f"{name}.ack": _message("ack", _frame("ack", data)) for name, data in known.acks.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parley",
            "version": settings.VERSION,
            "description": "One socket a device, everything on it: text frames, one JSON object each, at most "
            f"{settings.FRAME_BYTES} bytes. docs/protocol.md says what they mean.",
        },
        "servers": {"here": {"host": "chat.example", "protocol": "wss", "security": _refs(SECURITY)}},
        "channels": {
            "chat": {
                "address": "/ws/chat",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in commands | events | acks},
                "bindings": {"ws": {"method": "GET", "query": _query()}},
                "x-close-codes": {code.value: code.description for code in CloseCode},
            }
        },
        "operations": {**_commands(known.commands), "listen": _operation("send", events)},
        "components": {"messages": commands | events | acks, "schemas": known.components, "securitySchemes": SECURITY},
    }


def _message(name: str, payload: JSONObject) -> JSONObject:
    return {"name": name, "contentType": "application/json", "payload": payload}


def _frame(type: str, data: JSONObject) -> JSONObject:
    properties: JSONObject = {"type": {"const": type}, "data": data}
    if type in {"ack", "error", "pong"}:
        properties["ref"] = REF
    required = ["type", "data", "ref"] if type == "ack" else ["type", "data"]
    return {"type": "object", "properties": properties, "required": required}


def _query() -> JSONObject:
    flag = {"type": "string", "enum": ["1"], "description": "Tell what was missed, for simple clients."}
    return {"type": "object", "properties": {"catch_up": flag, "ticket": {"type": "string"}}}


def _commands(commands: JSONObject) -> JSONObject:
    """An operation for each command, with its reply: what is seen from the server, which receives them."""
    return {name: {**_operation("receive", [f"{name}.command"]), **_reply(name)} for name in commands}


def _reply(type: str) -> JSONObject:
    answers = {"ping": ["pong"], "connect": ["connected"]}.get(type, [f"{type}.ack"] if type in ACKNOWLEDGED else [])
    channel = {"$ref": "#/channels/chat"}
    return {"reply": {"channel": channel, "messages": [_in_channel(name) for name in (*answers, "error")]}}


def _operation(action: str, names: Any) -> JSONObject:
    return {"action": action, "channel": {"$ref": "#/channels/chat"}, "messages": [_in_channel(n) for n in names]}


def _in_channel(name: str) -> JSONObject:
    return {"$ref": f"#/channels/chat/messages/{name}"}


def _refs(schemes: JSONObject) -> list[JSONObject]:
    return [{"$ref": f"#/components/securitySchemes/{name}"} for name in schemes]
