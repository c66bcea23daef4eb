"""What may be done with messages."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Subquery
from django.db.models.functions import Greatest, Least, Now

from accounts.models import User
from conversations.access import Invalid, Unprocessable, place_of, present, require_storable
from conversations.commands import start_direct
from conversations.models import Conversation
from messaging import log
from messaging.append import Draft
from messaging.lane import lane
from messaging.log import Said
from messaging.models import Message


def send_message(*, by: User, conversation_id: UUID, text: str, **fields: Any) -> Said:
    """Say something in a conversation; saying it again under the same id is the same message.

    `fields` are those of `compose`. Raises Conversation.DoesNotExist for a stranger, IdConflict if the id is another
    message's.
    """
    return log.append(compose(by.pk, conversation_id, text=text, **fields))


async def send_message_soon(*, by_id: UUID, conversation_id: UUID, text: str, **fields: Any) -> Said:
    """Say something from a socket: as `send_message`, in one commit with what others say at the same moment."""
    return await lane().append(compose(by_id, conversation_id, text=text, **fields))


@transaction.atomic
def send_direct(*, by: User, to: User, text: str, **fields: Any) -> Said:
    """Say something to a person, in the direct conversation, which is opened if there is none."""
    conversation, _ = start_direct(by=by, to=to)
    return send_message(by=by, conversation_id=conversation.pk, text=text, **fields)


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
    """Check what is to be said and make a draft of it."""
    require_text(text)
    if media:
        raise Unprocessable("No such media of yours.", pointer="/media")
    if kind not in {None, Message.Kind.TEXT}:
        raise Unprocessable("A message of this kind needs its media.", pointer="/kind")
    return log.draft(sender_id=by_id, conversation_id=conversation_id, text=text, id=id, reply_to_id=reply_to_id)


def require_text(text: str) -> None:
    """Invalid unless a message may say this.

    It has 1 to 16,000 code points, measured trimmed and kept as written, without NUL or halves of surrogates.
    """
    spoken = text.strip()
    if not spoken:
        raise Invalid("A message needs a text.", pointer="/text")
    if len(spoken) > settings.TEXT_LENGTH:
        raise Invalid(f"A message has at most {settings.TEXT_LENGTH} characters.", pointer="/text")
    require_storable(text, pointer="/text")


def mark_read(*, by: User, conversation_id: UUID, through: int) -> dict[str, int]:
    """Note that someone has read up to a position; give the watermarks. Never backwards, never past the end."""
    place = place_of(by, conversation_id)
    end = Subquery(Conversation.objects.filter(pk=conversation_id).values("last_position"))
    reached = Greatest(F("read_through"), Least(through, end))
    present(by).filter(pk=place.pk, read_through__lt=Least(through, end)).update(
        read_through=reached, delivered_through=Greatest(F("delivered_through"), reached), changed_at=Now()
    )
    place.refresh_from_db(fields=["read_through", "delivered_through"])
    return {"delivered_through": place.delivered_through, "read_through": place.read_through}
