"""Drafts: a message that was checked and encrypted, ready for the append."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from chatproject.core.encryption.digests import digest
from chatproject.core.encryption.sealing import seal
from chatproject.core.errors import Invalid, Unprocessable
from chatproject.core.ids import id_milliseconds, uuid7
from chatproject.core.text import is_visible, require_storable
from messaging.media.attachments import kind_of
from messaging.messages.mentions import Spelling, names_in
from messaging.models import Attachment, Message

ID_MAX_AGE_MS = 7 * 24 * 3600 * 1000
ID_MAX_AHEAD_MS = 2 * 60 * 1000


@dataclass(slots=True)
class Draft:
    """A message before it is stored: what the append needs of it, and what the answer is made from."""

    id: UUID
    conversation_id: UUID
    sender_id: UUID
    kind: str
    text: str
    reply_to_id: UUID | None
    body: bytes
    """The encrypted text, with the digest of the parts."""
    parts: tuple[bytes, ...]
    """What makes up the content: a repeated send has the same."""
    is_timely: bool
    """Whether the time in the id lies within the bounds of the contract."""
    names: Sequence[Spelling] = ()
    """Parts of the text that may be names of members."""
    media: Sequence[UUID] = ()
    """The attachments, in their order; a message with any is appended alone."""


def compose(
    by_id: UUID,
    conversation_id: UUID,
    *,
    text: str,
    id: UUID | None = None,
    kind: str | None = None,
    media: Sequence[UUID] = (),
    reply_to_id: UUID | None = None,
) -> Draft:
    """Check what a person wants to send and make a draft of it; with media it reads their kind from the database."""
    require_text(text, is_caption=bool(media))
    if not media and kind not in {None, Message.Kind.TEXT}:
        raise Unprocessable("A message of this kind needs its media.", pointer="/kind")
    return make_draft(
        sender_id=by_id,
        conversation_id=conversation_id,
        text=text,
        id=id,
        kind=_kind_with(media, by_id, kind) if media else Message.Kind.TEXT,
        reply_to_id=reply_to_id,
        media=media,
    )


def make_draft(
    *,
    sender_id: UUID,
    conversation_id: UUID,
    text: str,
    id: UUID | None = None,
    kind: str = Message.Kind.TEXT,
    reply_to_id: UUID | None = None,
    media: Sequence[UUID] = (),
    content: tuple[bytes, ...] = (),
) -> Draft:
    """Encrypt a message, which is not checked; `content` is what a repeat of it has, if that is not what is stored."""
    id = id or uuid7()
    content = content or (
        kind.encode(),
        text.encode(),
        b"".join([each.bytes for each in media]),
        reply_to_id.bytes if reply_to_id else b"",
    )
    parts = (sender_id.bytes, conversation_id.bytes, *content)
    return Draft(
        id=id,
        conversation_id=conversation_id,
        sender_id=sender_id,
        kind=kind,
        text=text,
        reply_to_id=reply_to_id,
        body=seal(text, field="body", row=id, conversation=conversation_id, digest=digest(*parts)),
        parts=parts,
        is_timely=-ID_MAX_AHEAD_MS <= time.time() * 1000 - id_milliseconds(id) <= ID_MAX_AGE_MS,
        names=names_in(text) if "@" in text else (),
        media=media,
    )


def require_text(text: str, *, is_caption: bool = False) -> None:
    """Raise Invalid unless this can be the text of a message.

    It has 1 to 16,000 code points, counted without spaces at its ends but stored as written. It has something visible
    and neither NUL nor lone surrogates. A caption may be empty.
    """
    trimmed = text.strip()
    if (trimmed or not is_caption) and not is_visible(trimmed):
        raise Invalid("A message needs a text.", pointer="/text")
    if len(trimmed) > settings.TEXT_LENGTH:
        raise Invalid(f"A message has at most {settings.TEXT_LENGTH} characters.", pointer="/text")
    require_storable(text, pointer="/text")


def _kind_with(media: Sequence[UUID], owner_id: UUID, kind: str | None) -> str:
    """Find the kind of a message with these media. Whether the sender may attach them is for the append to decide."""
    owned = Attachment.objects.filter(pk__in=media, owner=owner_id).values_list("content_type", flat=True)
    natural = kind_of(owned)
    # The media of a deleted message may be deleted by now; a repeat of its send is one all the same.
    if kind not in {None, natural} and len(owned) == len(set(media)):
        raise Unprocessable(f"A message with these media is of the kind “{natural}”.", pointer="/kind")
    return natural
