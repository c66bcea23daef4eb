"""The schemas of all frames that a server sends. The documents are generated from them; tests validate with them.

The frames of clients are defined in `commands.py`. No frame is validated when it is sent, as that would cost time: the
fields of an event define its frame.
"""

from typing import Annotated, Any, NotRequired, TypedDict, get_args

import msgspec

from accounts.people.profiles import OwnJSON
from chatproject.core.announced_limits import LimitsJSON
from chatproject.core.ids import Id
from chatproject.core.json_types import Count, IdText, TimeText, one_of
from chatproject.core.jsonschema import JSONObject, schema_of
from conversations.events import ConversationRemoved, ConversationSettings, ConversationUpdated
from messaging.media.attachments import MediaJSON
from messaging.messages.events import MessageCreated, MessageUpdated
from messaging.messages.json import ConversationJSON, MessageJSON
from messaging.presence.events import Announcement, PresenceChanged, TypingChanged
from messaging.receipts.events import Receipts
from messaging.socket.commands import Command, MessageChange, MessageSend, PresenceWatch

CODES = """
invalid not_authenticated token_expired session_revoked suspended not_allowed blocked not_found conflict id_conflict
gone too_large unprocessable rate_limited unavailable too_fast too_slow bad_frame unknown_type
"""
REFERENCE = "#/components/schemas/"


class GreetingJSON(TypedDict):
    """The person and session of the socket, and the limits that apply."""

    user: OwnJSON
    session_id: IdText
    server_time: TimeText
    heartbeat_seconds: Count
    limits: LimitsJSON
    feature_level: Count
    generation: Count


class CaughtUpJSON(TypedDict):
    """The missed messages have been sent; live events continue from these versions."""

    more: bool
    versions: dict[str, Count]


class ResyncJSON(TypedDict):
    """Too much was missed: call `changes`."""

    conversation_id: NotRequired[IdText]


class FaultJSON(TypedDict):
    """What is wrong with one field; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    code: str
    detail: str


class RefusalJSON(TypedDict):
    """The reason for an error."""

    code: Annotated[str, one_of(*CODES.split())]
    detail: str
    errors: NotRequired[list[FaultJSON]]
    retry_after: NotRequired[float]


class PongJSON(TypedDict):
    """The server's time."""

    server_time: TimeText


class SeenJSON(TypedDict):
    """Who of the watched people is online, and when the others were last seen."""

    online: list[IdText]
    last_seen: dict[str, TimeText | None]


EVENTS = (
    MessageCreated,
    MessageUpdated,
    ConversationUpdated,
    ConversationRemoved,
    ConversationSettings,
    TypingChanged,
    PresenceChanged,
    Receipts,
    Announcement,
)
SENT: dict[str, Any] = {
    "connected": GreetingJSON,
    "caught_up": CaughtUpJSON,
    "conversation.created": ConversationJSON,
    "media.updated": MediaJSON,
    **{kind.type: kind for kind in EVENTS},
    "resync": ResyncJSON,
    "error": RefusalJSON,
    "pong": PongJSON,
}
"""The `data` of each type of frame, except `ack`, whose data depends on the command."""
ACKNOWLEDGED: dict[str, Any] = {
    **{str(kind.__struct_config__.tag): MessageJSON for kind in (MessageSend, *get_args(MessageChange))},
    str(PresenceWatch.__struct_config__.tag): SeenJSON,
}
"""The `data` of an `ack`, by the command that it answers; other commands are answered only by errors."""


class Schemas:
    """The schemas of all frames: `commands` and `data` by type, `acks` by command, and the components they refer to."""

    def __init__(self) -> None:
        self.components: dict[str, JSONObject] = {}
        self.data = {name: schema_of(hint, self._add_component) for name, hint in SENT.items()}
        self.acks = {name: schema_of(hint, self._add_component) for name, hint in ACKNOWLEDGED.items()}
        kinds = {str(kind.__struct_config__.tag): kind for kind in get_args(Command)}
        _, found = msgspec.json.schema_components(
            kinds.values(), schema_hook=_schema_of_id, ref_template=REFERENCE + "{name}"
        )
        self.components |= found
        self.commands = {name: {"$ref": REFERENCE + kind.__name__} for name, kind in kinds.items()}

    def _add_component(self, name: str, known: JSONObject) -> JSONObject:
        self.components.setdefault(name, known)
        return {"$ref": REFERENCE + name}


def _schema_of_id(kind: type) -> JSONObject:
    if issubclass(kind, Id):
        return {"type": "string", "format": "uuid"}
    raise NotImplementedError(kind)
