"""What a page shows of who has received and read a message."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.web.person_view import PersonLink
from chatproject.core.realtime import timestamp
from messaging.receipts.status import Status
from messaging.web.contexts.names import with_missing_names


@dataclass(frozen=True, slots=True)
class StatusStep:
    """One step of a message with one recipient: delivered, or read."""

    word: str
    moment: datetime

    @property
    def at(self) -> str:
        return timestamp(self.moment)

    @property
    def when(self) -> str:
        return f"{self.moment.day} {self.moment:%B %Y, %H:%M}"


@dataclass(frozen=True, slots=True)
class RecipientStatus(PersonLink):
    """The steps of a message with one recipient, the latest first; none if it was only sent."""

    steps: list[StatusStep]


def recipient_statuses(statuses: Iterable[Status], *, names: dict[str, str]) -> list[RecipientStatus]:
    """List those who have read a message, then those who have received it, then the others; each group by name."""
    known = list(statuses)
    all_names = with_missing_names([str(each.user_id) for each in known], names)
    shown = [RecipientStatus(str(each.user_id), all_names[str(each.user_id)], _steps(each)) for each in known]
    return sorted(shown, key=lambda each: (_rank(each), each.name.casefold()))


def _steps(status: Status) -> list[StatusStep]:
    known = (("Read", status.read_at), ("Delivered", status.delivered_at))
    return [StatusStep(word, moment) for word, moment in known if moment]


def _rank(status: RecipientStatus) -> int:
    return ["Read", "Delivered", "Sent"].index(status.steps[0].word if status.steps else "Sent")
