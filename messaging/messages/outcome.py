"""What came of an append: the row that the statement returns for each draft, and the answer to the sender."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from chatproject.core.errors import Blocked, Invalid, Unprocessable
from chatproject.core.realtime import timestamp_of
from conversations.models import Conversation
from messaging.messages.draft import Draft
from messaging.messages.json import MessageJSON, new_message_json


class AppendOutcome(NamedTuple):
    """A row of the append's result; see `append_sql` for `status`. Position and time are 0 unless it is `new`."""

    ord: int
    status: str
    position: int
    created_ms: int
    """Milliseconds since 1970."""
    epoch: int
    is_member: bool
    barred: bool
    reply_exists: bool
    is_visible: bool
    """Whether the sender can read the stored message of a repeat, still or again."""
    mentions: list[UUID] | None


@dataclass(frozen=True, slots=True)
class SendResult:
    """The answer to a send: the message as it is now, and whether this send was a repeat of an earlier one."""

    message: MessageJSON
    repeated: bool


def result_of(draft: Draft, outcome: AppendOutcome) -> SendResult | None:
    """Return the answer for a draft that has been stored, or raise the reason why it was refused.

    None for a repeat, and where the append has to be tried again.
    """
    if outcome.status == "refused":
        raise refusal(outcome)
    return SendResult(stored_json(draft, outcome), repeated=False) if outcome.status == "new" else None


def stored_json(draft: Draft, outcome: AppendOutcome) -> MessageJSON:
    """Make the JSON of a message that has just been stored, without reading it back."""
    at = outcome.position
    created_at = timestamp_of(outcome.created_ms)
    message = new_message_json(draft, text=draft.text, position=at, version=at, created_at=created_at)
    message["mentions"] = [str(user_id) for user_id in outcome.mentions or ()]
    return message


def refusal(outcome: AppendOutcome) -> Exception:
    """Return the error for a refused draft: the first reason that the sender may know."""
    if not outcome.is_member:
        return Conversation.DoesNotExist()
    if outcome.barred:
        return Blocked("This person has stopped the conversation.")
    if not outcome.reply_exists:
        return Unprocessable("The message replied to is not there.", pointer="/reply_to_id")
    return Invalid("The time in this id is too far from the server's. Name the message anew.", pointer="/id")
