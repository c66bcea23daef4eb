"""What the staff may look at behind glass: who has had a message, and, for a reason that is logged, what was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.staff.audit_log import Action, Staff, record
from chatproject.core.errors import require_reason
from conversations.models import Conversation
from messaging.messages.json import MessageJSON, messages_json
from messaging.models import Message
from messaging.receipts.status import read_status

PAGE = 100


class Line(NamedTuple):
    """One message, with the name of who said it."""

    name: str
    said: MessageJSON


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, oldest first; `before` is the position to go on from, None at the beginning."""

    lines: Sequence[Line]
    before: int | None


@transaction.atomic
def read_conversation(*, by: Staff, conversation_id: UUID, reason: str, before: int | None = None) -> Transcript:
    """Read a page of what was said in a conversation, the latest first; each page of it is in the audit log.

    Conversation.DoesNotExist if there is none, Invalid without a reason.
    """
    reason = require_reason(reason)
    conversation = Conversation.objects.get(pk=conversation_id)
    messages = Message.objects.filter(conversation=conversation).order_by("-position")
    found = list((messages.filter(position__lt=before) if before else messages)[: PAGE + 1])
    page = found[:PAGE][::-1]
    positions = {"from": page[0].position, "through": page[-1].position} if page else {}
    record(
        by=by,
        action=Action.READ_CONVERSATION,
        kind="conversation",
        id=conversation.pk,
        reason=reason,
        after={"positions": positions},
    )
    people = User.objects.in_bulk({message.sender_id for message in page})
    lines = [Line(people[each.sender_id].name, shown) for each, shown in zip(page, messages_json(page), strict=True)]
    return Transcript(lines, page[0].position if len(found) > PAGE else None)


class Reach(NamedTuple):
    """When someone has had and read a message."""

    name: str
    delivered_at: datetime | None
    read_at: datetime | None


def reach_of(message: Message) -> list[Reach]:
    """Tell who has had and read a message, as far as they let it be seen."""
    found = read_status(message, sees_read=True)
    people = User.objects.in_bulk({each.user_id for each in found})
    return [Reach(people[each.user_id].name, each.delivered_at, each.read_at) for each in found]
