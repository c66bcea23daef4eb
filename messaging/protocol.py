"""The frames that a client may send: their shapes, what each asks for, and how a refusal sounds over the socket."""

import json
import logging
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import InterfaceError, OperationalError

from accounts.realtime import encode
from conversations.access import Refused

logger = logging.getLogger(__name__)

Ref = Annotated[str, msgspec.Meta(max_length=64)]
Position = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Id = UUID
"""Checked to be of version 7 by `read`."""


class Frame(msgspec.Struct, tag_field="type", kw_only=True, forbid_unknown_fields=False):
    """What all commands have; `ref` comes back with the answer."""

    ref: Ref | None = None


class Connect(Frame, tag="connect"):
    token: str


class Ping(Frame, tag="ping"):
    pass


class Reference(msgspec.Struct, kw_only=True):
    """Names a person by one of three."""

    id: Id | None = None
    username: str | None = None
    wallet: str | None = None

    def named(self) -> dict[str, Any]:
        """The one that is given; BadFrame unless it is exactly one."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        if len(given) != 1:
            raise BadFrame("invalid", 'Name a person by exactly one of "id", "username" and "wallet".', pointer="/to")
        return given


class MessageSend(Frame, tag="message.send"):
    id: Id | None = None
    conversation_id: Id | None = None
    to: Reference | None = None
    text: str = ""
    kind: str | None = None
    media: list[Id] = []
    reply_to_id: Id | None = None


class Read(Frame, tag="read"):
    conversation_id: Id
    through: Position


Command = Connect | Ping | MessageSend | Read
_decoder = msgspec.json.Decoder(Command)


class BadFrame(Exception):
    """A frame that can't be obeyed; `abusive` ones count towards the closing of the socket."""

    def __init__(self, code: str, detail: str, *, ref: str | None = None, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.ref, self.pointer = code, detail, ref, pointer

    @property
    def abusive(self) -> bool:
        return self.code in {"bad_frame", "unknown_type", "too_large"}


def read(text: str | None) -> Command:
    """Read one frame; BadFrame, with the `ref` where there is one, if it is none of ours."""
    if text is None:
        raise BadFrame("bad_frame", "Send text frames.")
    # A character is at most four bytes, so most frames need no measuring.
    if len(text) * 4 > settings.FRAME_BYTES and len(text.encode()) > settings.FRAME_BYTES:
        raise BadFrame("too_large", f"A frame has at most {settings.FRAME_BYTES} bytes; longer texts go by REST.")
    try:
        frame: Command = _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise _explained(text, error) from None
    _require_version_7(frame)
    return frame


def _explained(text: str, error: msgspec.DecodeError) -> BadFrame:
    """Find out what was wrong with a frame; only this rare path reads it twice."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return BadFrame("bad_frame", "This is no JSON.")
    if not isinstance(raw, dict):
        return BadFrame("bad_frame", "Send one JSON object.")
    ref = raw.get("ref")
    ref = ref if isinstance(ref, str) and len(ref) <= 64 else None
    if not isinstance(raw.get("type"), str):
        return BadFrame("bad_frame", "A frame needs a type.", ref=ref)
    what, _, place = str(error).partition(" - at `$")
    if place == ".type`":
        return BadFrame("unknown_type", "There is no such command.", ref=ref)
    pointer = "/" + place.strip("`.").replace(".", "/") if place else None
    return BadFrame("invalid", what.replace("`", ""), ref=ref, pointer=pointer)


def _require_version_7(frame: Command) -> None:
    for name in frame.__struct_fields__:
        value = getattr(frame, name)
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, UUID) and each.version != 7:
                raise BadFrame("invalid", "This is not a UUID version 7.", ref=frame.ref, pointer=f"/{name}")


# Answers


def ack(ref: str, data: Any) -> str:
    """Say that a command was obeyed."""
    return encode({"type": "ack", "ref": ref, "data": data})


def error(error: Exception, ref: str | None) -> str:
    """Say why a command was not obeyed."""
    data: dict[str, Any]
    match error:
        case BadFrame():
            data = {"code": error.code, "detail": error.detail}
            if error.pointer:
                data["errors"] = [{"pointer": error.pointer, "code": error.code, "detail": error.detail}]
        case Refused():
            data = {"code": error.code, "detail": error.detail}
            if found := error.errors():
                data["errors"] = found
            if error.status == 503:
                data["retry_after"] = 1
        case ObjectDoesNotExist():
            data = {"code": "not_found", "detail": "There is nothing here, or not for you."}
        case _:
            if not isinstance(error, OperationalError | InterfaceError):
                logger.error("a command failed", exc_info=error)
            data = {"code": "unavailable", "detail": "This did not work. Please try again.", "retry_after": 1}
    return encode({"type": "error", **({"ref": ref} if ref is not None else {}), "data": data})
