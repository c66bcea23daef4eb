"""The frames that a client may send, how they are decoded, and the frames that answer them."""

import json
import logging
import re
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import InterfaceError, OperationalError

from accounts.wallets.ethereum import checksummed
from chatproject.core.errors import Refused
from chatproject.core.ids import Id
from chatproject.core.rate_limits import RateLimited
from chatproject.core.realtime import encode

logger = logging.getLogger(__name__)

Ref = Annotated[str, msgspec.Meta(max_length=64)]
Position = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, msgspec.Meta(max_length=150, pattern=r"^[^\x00]*$")]


class Answerable(msgspec.Struct, kw_only=True, forbid_unknown_fields=False):
    """A frame whose answer repeats its `ref`."""

    ref: Ref | None = None


class Frame(Answerable, tag_field="type", kw_only=True, forbid_unknown_fields=False):
    """The fields of all commands."""


class Connect(Frame, tag="connect"):
    token: str
    catch_up: bool = False


class Ping(Frame, tag="ping"):
    pass


class Reference(msgspec.Struct, kw_only=True):
    """A person, by exactly one of these fields."""

    id: Id | None = None
    username: Name | None = None
    wallet: Name | None = None

    def named(self) -> dict[str, Any]:
        """Return the one that is given; BadFrame unless it is exactly one."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        if len(given) != 1:
            raise BadFrame("invalid", 'Name a person by exactly one of "id", "username" and "wallet".', pointer="/to")
        try:
            return given if self.wallet is None else {"wallet": checksummed(self.wallet)}
        except ValueError as error:
            raise BadFrame("invalid", str(error), pointer="/to") from None


class MessageSend(Frame, tag="message.send"):
    id: Id | None = None
    conversation_id: Id | None = None
    to: Reference | None = None
    text: str = ""
    kind: Literal["text", "image", "video", "audio", "file"] | None = None
    media: Annotated[list[Id], msgspec.Meta(max_length=10)] = []
    reply_to_id: Id | None = None


class MessageEdit(Frame, tag="message.edit"):
    message_id: Id
    text: str


class MessageDelete(Frame, tag="message.delete"):
    message_id: Id


class ReactionAdd(Frame, tag="reaction.add"):
    message_id: Id
    emoji: str


class ReactionRemove(Frame, tag="reaction.remove"):
    message_id: Id
    emoji: str


class Delivered(Frame, tag="delivered"):
    conversation_id: Id
    through: Position


class Read(Frame, tag="read"):
    conversation_id: Id
    through: Position


class Typing(Frame, tag="typing"):
    conversation_id: Id
    state: Literal["start", "stop"]


class ConversationOpen(Frame, tag="conversation.open"):
    conversation_id: Id


class ConversationClose(Frame, tag="conversation.close"):
    conversation_id: Id


class PresenceWatch(Frame, tag="presence.watch"):
    user_ids: Annotated[list[Id], msgspec.Meta(max_length=200)]


MessageChange = MessageEdit | MessageDelete | ReactionAdd | ReactionRemove
Signal = Ping | Delivered | Read | Typing | ConversationOpen | ConversationClose
"""Frames that are cheap to handle, so that only the limit of all frames applies to them."""
Command = Connect | MessageSend | MessageChange | Signal | PresenceWatch
UUID_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)


def _read_id(kind: type[Id], value: object) -> Id:
    if not isinstance(value, str) or not UUID_7.fullmatch(value):
        raise ValueError("This is not a UUID version 7.")
    return kind(value)


_decoder = msgspec.json.Decoder(Command, dec_hook=_read_id)
_ref_decoder = msgspec.json.Decoder(Answerable)


class BadFrame(Exception):
    """A frame that is not valid; the socket is closed after too many `abusive` ones."""

    def __init__(self, code: str, detail: str, *, ref: str | None = None, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.ref, self.pointer = code, detail, ref, pointer

    @property
    def abusive(self) -> bool:
        return self.code in {"bad_frame", "unknown_type", "too_large"}


def decode(text: str | None) -> Command:
    """Decode one frame; BadFrame, with the `ref` if there is one, if it is not valid."""
    if text is None:
        raise BadFrame("bad_frame", "Send text frames.")
    # A character has at most four bytes, so most frames need not be encoded to measure them.
    if len(text) * 4 > settings.FRAME_BYTES and len(text.encode()) > settings.FRAME_BYTES:
        detail = f"A frame has at most {settings.FRAME_BYTES} bytes; longer texts go by REST."
        raise BadFrame("too_large", detail, ref=ref_of(text))
    try:
        frame: Command = _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise _explain(text, error) from None
    except RecursionError:
        raise BadFrame("bad_frame", "This is nested too deeply.") from None
    return frame


def _explain(text: str, error: msgspec.DecodeError) -> BadFrame:
    """Find out what is wrong with a frame; it is decoded a second time in this rare case only."""
    try:
        raw = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return BadFrame("bad_frame", "This is no JSON.")
    if not isinstance(raw, dict):
        return BadFrame("bad_frame", "Send one JSON object.")
    ref = raw.get("ref")
    # `json` accepts lone surrogates, which cannot be encoded for the answer.
    ref = ref if isinstance(ref, str) and len(ref) <= 64 and not any("\ud800" <= c <= "\udfff" for c in ref) else None
    if not isinstance(raw.get("type"), str):
        return BadFrame("bad_frame", "A frame needs a type.", ref=ref)
    reason, _, path = str(error).partition(" - at `$")
    if path == ".type`":
        return BadFrame("unknown_type", "There is no such command.", ref=ref)
    return BadFrame("invalid", reason.replace("`", ""), ref=ref, pointer=_pointer(reason, path))


def ref_of(text: str | None) -> str | None:
    """Return the `ref` of a frame whose other fields are not decoded."""
    try:
        ref: str | None = _ref_decoder.decode(text or "").ref
    except (msgspec.DecodeError, RecursionError):
        return None
    return ref


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _pointer(reason: str, path: str) -> str | None:
    """Convert the path of an error of msgspec to a JSON pointer (RFC 6901): `media[0]` becomes /media/0."""
    missing = re.search(r"missing required field `(\w+)`", reason)
    names = re.findall(r"\w+", path) + ([missing[1]] if missing else [])
    return "/" + "/".join(names) if names else None


# Answers


def ack_frame(ref: str, data: Any) -> bytes:
    """Encode the frame that acknowledges a command."""
    return encode({"type": "ack", "ref": ref, "data": data})


def error_frame(error: Exception, ref: str | None) -> bytes:
    """Encode the frame that says why a command failed."""
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
        case RateLimited():
            data = {"code": "too_fast", "detail": str(error), "retry_after": error.verdict.retry_after}
        case ObjectDoesNotExist():
            data = {"code": "not_found", "detail": "There is nothing here, or not for you."}
        case _:
            if not isinstance(error, OperationalError | InterfaceError):
                logger.error("a command failed", exc_info=error)
            data = {"code": "unavailable", "detail": "This did not work. Please try again.", "retry_after": 1}
    return encode({"type": "error", **ref_field(ref), "data": data})


def ref_field(ref: str | None) -> dict[str, str]:
    """Return the field that connects an answer with its command; empty if the command had no `ref`."""
    return {} if ref is None else {"ref": ref}
