"""What the staff may see of messages: their recipients and, for a reason that is logged, their texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.staff.audit_log import Action, Staff, record
from chatproject.core.text import require_reason
from conversations.models import Conversation
from messaging.access import unexpired_messages
from messaging.messages.json import MessageJSON, messages_json
from messaging.models import Message
from messaging.receipts.status import read_status

PAGE_SIZE = 100


class TranscriptEntry(NamedTuple):
    """One message, with the name of its sender."""

    name: str
    message: MessageJSON


@dataclass(frozen=True, slots=True)
class Transcript:
    """A page of messages, oldest first; `before` is the position to continue from, None at the beginning."""

    entries: Sequence[TranscriptEntry]
    before: int | None


@transaction.atomic
def read_conversation(*, by: Staff, conversation_id: UUID, reason: str, before: int | None = None) -> Transcript:
    """Read a page of a conversation, the latest messages first; each page is recorded in the audit log.

    Conversation.DoesNotExist if there is none, Invalid without a reason.
    """
    reason = require_reason(reason)
    conversation = Conversation.objects.get(pk=conversation_id)
    messages = unexpired_messages().filter(conversation=conversation).order_by("-position")
    found = list((messages.filter(position__lt=before) if before else messages)[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE][::-1]
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
    entries = [
        TranscriptEntry(people[each.sender_id].name, message)
        for each, message in zip(page, messages_json(page), strict=True)
    ]
    return Transcript(entries, page[0].position if len(found) > PAGE_SIZE else None)


class Recipient(NamedTuple):
    """When someone has received and read a message."""

    name: str
    delivered_at: datetime | None
    read_at: datetime | None


def recipients_of(message: Message) -> list[Recipient]:
    """List who has received and read a message, as far as their privacy settings allow."""
    found = read_status(message, sees_read=True)
    people = User.objects.in_bulk({each.user_id for each in found})
    return [Recipient(people[each.user_id].name, each.delivered_at, each.read_at) for each in found]
