"""What may be done with messages: say something, and note how far one has come."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from chatproject.core.errors import Invalid, Unprocessable, require_storable
from chatproject.core.names import is_visible
from conversations.commands import start_direct
from messaging.media.attachments import kind_of
from messaging.messages import append
from messaging.messages.append import Said
from messaging.messages.append_sql import Draft
from messaging.messages.forward import forward_direct, forward_message
from messaging.messages.group_commit import lane
from messaging.models import Attachment, Message


def send_message(
    *, by: User, conversation_id: UUID, text: str = "", forward_of_id: UUID | None = None, **fields: Any
) -> Said:
    """Say something in a conversation; saying it again under the same id is the same message.

    `fields` are those of `compose`; what is sent on is said as it was. Raises Conversation.DoesNotExist for a stranger,
    IdConflict if the id is another message's.
    """
    if forward_of_id is not None:
        id = _only_id(text=text, **fields)
        return forward_message(by=by, conversation_id=conversation_id, forward_of_id=forward_of_id, id=id)
    return append.append(compose(by.pk, conversation_id, text=text, **fields))


async def send_message_soon(*, by_id: UUID, conversation_id: UUID, text: str, **fields: Any) -> Said:
    """Say something from a socket: as `send_message`, in one commit with what others say at the same moment."""
    return await lane().append(compose(by_id, conversation_id, text=text, **fields))


def send_direct(*, by: User, to: User, text: str = "", forward_of_id: UUID | None = None, **fields: Any) -> Said:
    """Say something to a person, in the direct conversation, which is opened if there is none."""
    if forward_of_id is not None:
        return forward_direct(by=by, to=to, forward_of_id=forward_of_id, id=_only_id(text=text, **fields))
    with transaction.atomic():
        conversation, _ = start_direct(by=by, to=to)
        return send_message(by=by, conversation_id=conversation.pk, text=text, **fields)


def _only_id(*, id: UUID | None = None, **others: Any) -> UUID | None:
    """Give the id of a forward; Invalid where anything else comes with it."""
    if any(others.values()):
        raise Invalid("What is sent on comes alone.", pointer="/forward_of_id")
    return id


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
    """Check what is to be said and make a draft of it; with media it asks the database of what kind they are."""
    require_text(text, is_caption=bool(media))
    if not media and kind not in {None, Message.Kind.TEXT}:
        raise Unprocessable("A message of this kind needs its media.", pointer="/kind")
    return append.draft(
        sender_id=by_id,
        conversation_id=conversation_id,
        text=text,
        id=id,
        kind=_kind_with(media, by_id, kind) if media else Message.Kind.TEXT,
        reply_to_id=reply_to_id,
        media=media,
    )


def _kind_with(media: Sequence[UUID], owner_id: UUID, kind: str | None) -> str:
    """The kind of a message with these media: theirs. Whether it may have them is for the append to say."""
    mine = Attachment.objects.filter(pk__in=media, owner=owner_id).values_list("content_type", flat=True)
    natural = kind_of(mine)
    # What a deleted message held may be gone by now; its repeat is one all the same.
    if kind not in {None, natural} and len(mine) == len(set(media)):
        raise Unprocessable(f"A message with these media is of the kind “{natural}”.", pointer="/kind")
    return natural


def require_text(text: str, *, is_caption: bool = False) -> None:
    """Invalid unless a message may say this.

    It has 1 to 16,000 code points, measured trimmed and kept as written, with something to see among them and without
    NUL or halves of surrogates; words to a picture may be missing.
    """
    spoken = text.strip()
    if (spoken or not is_caption) and not is_visible(spoken):
        raise Invalid("A message needs a text.", pointer="/text")
    if len(spoken) > settings.TEXT_LENGTH:
        raise Invalid(f"A message has at most {settings.TEXT_LENGTH} characters.", pointer="/text")
    require_storable(text, pointer="/text")
