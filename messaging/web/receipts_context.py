"""What a page shows of who has had and read a message, ready to print."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.web.faces import Face
from chatproject.core.realtime import timestamp
from messaging.receipts.status import Status
from messaging.web.inbox_context import names_of


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has become of a message at someone's."""

    word: str
    moment: datetime

    @property
    def at(self) -> str:
        return timestamp(self.moment)

    @property
    def when(self) -> str:
        return f"{self.moment.day} {self.moment:%B %Y, %H:%M}"


@dataclass(frozen=True, slots=True)
class Standing(Face):
    """How far one person has come with a message: the last step first, none where it was only sent."""

    steps: list[Step]


def standings_of(statuses: Iterable[Status], *, names: dict[str, str]) -> list[Standing]:
    """Draw up who has read a message, then who has had it, then the others, each by name."""
    known = list(statuses)
    called = names_of([str(each.user_id) for each in known], names)
    standings = [Standing(str(each.user_id), called[str(each.user_id)], _steps(each)) for each in known]
    return sorted(standings, key=lambda each: (_rank(each), each.name.casefold()))


def _steps(status: Status) -> list[Step]:
    known = (("Read", status.read_at), ("Delivered", status.delivered_at))
    return [Step(word, moment) for word, moment in known if moment]


def _rank(standing: Standing) -> int:
    return ["Read", "Delivered", "Sent"].index(standing.steps[0].word if standing.steps else "Sent")
