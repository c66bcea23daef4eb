"""What came of an append: the row that the statement returns for each draft, and the result for its sender."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from chatproject.core.errors import Blocked, Invalid, Unavailable, Unprocessable
from chatproject.core.realtime import ConversationEvent, timestamp_of
from conversations.models import Conversation
from messaging.messages.draft import Draft
from messaging.messages.events import message_created
from messaging.messages.json import MessageJSON, new_message_json

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds after which a message that could not be stored is refused."""


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
    mentions: list[UUID] | None


@dataclass(frozen=True, slots=True)
class SendResult:
    """The answer to a send: the message as it is now, and whether this send was a repeat of an earlier one."""

    message: MessageJSON
    repeated: bool


OnResult = Callable[[SendResult | Exception], None]
"""Called once with the result of a send, or with the error that it failed with. It must neither wait nor raise."""


class PendingSend:
    """A draft on its way through the group commit, and the caller who waits for its result."""

    __slots__ = ("_on_result", "draft", "is_answered", "may_be_stored", "since")

    def __init__(self, draft: Draft, on_result: OnResult) -> None:
        self.draft = draft
        self._on_result = on_result
        self.is_answered = False
        self.since = time.monotonic()
        self.may_be_stored = False
        """Whether an earlier try may have been committed although its answer was lost."""

    def complete(self, outcome: AppendOutcome) -> ConversationEvent | None:
        """Answer a send that was stored or refused, and return the event of a stored one, which is to be published."""
        try:
            result = result_of(self.draft, outcome)
        except Exception as error:
            self.answer(error)
            return None
        if result is None:
            return None
        self.is_answered = True
        self._on_result(result)
        return message_created(self.draft.conversation_id, outcome.epoch, result.message)

    def answer(self, result: SendResult | Exception) -> None:
        """Pass the result or the error on to the caller; only the first one counts."""
        if not self.is_answered:
            self.is_answered = True
            self._on_result(result)

    def give_up(self) -> None:
        """Ask the sender to send the message again."""
        self.answer(Unavailable("The message could not be stored just now. Please send it again."))


def without_expired(pending: Sequence[PendingSend]) -> list[PendingSend]:
    """Give up those that have waited too long, and return the ones that are still to be tried."""
    now = time.monotonic()
    for each in pending:
        if not each.is_answered and now - each.since > PATIENCE:
            logger.error("a message could not be stored within %d seconds", PATIENCE)
            each.give_up()
    return [each for each in pending if not each.is_answered]


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
