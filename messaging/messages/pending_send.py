"""A draft on its way through the group commit, and the caller who waits for its result."""

import logging
import time
from collections.abc import Callable, Sequence

from chatproject.core.errors import Unavailable
from messaging.messages.draft import Draft
from messaging.messages.outcome import SendResult

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds after which a message that could not be stored is refused."""

OnResult = Callable[[SendResult | Exception], None]
"""Called once with the result of a send, or with the error that it failed with. It must neither wait nor raise."""


class PendingSend:
    """One draft that is not answered yet."""

    __slots__ = ("_on_result", "draft", "is_answered", "may_be_stored", "since")

    def __init__(self, draft: Draft, on_result: OnResult) -> None:
        self.draft = draft
        self._on_result = on_result
        self.is_answered = False
        self.since = time.monotonic()
        self.may_be_stored = False
        """Whether an earlier try may have been committed although its answer was lost."""

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
