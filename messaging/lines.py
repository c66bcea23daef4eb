"""What a page shows of messages. Times are printed in UTC; the page's script puts them into the reader's own zone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import User
from messaging.events import MessageJSON
from messaging.rows import initials, names_in, tone

PAUSE = timedelta(minutes=5)
DELETED = "This message was deleted."


@dataclass(frozen=True, slots=True)
class Line:
    """One message in a timeline."""

    message: MessageJSON
    sender: str
    is_mine: bool
    opens_day: bool
    opens: bool

    @property
    def tone(self) -> int:
        return tone(self.message["sender_id"])

    @property
    def initials(self) -> str:
        return initials(self.sender)

    @property
    def text(self) -> str:
        return DELETED if self.message["deleted_at"] else self.message["text"]

    @property
    def clock(self) -> str:
        return f"{moment(self.message):%H:%M}"

    @property
    def day(self) -> str:
        at = moment(self.message)
        return f"{at.day} {at:%B %Y}"

    @property
    def classes(self) -> str:
        is_notice = self.message["kind"] == "notice"
        is_mine = self.is_mine and not is_notice
        marks = {"mine": is_mine, "notice": is_notice, "day": self.opens_day, "opens": self.opens}
        return " ".join(f"line--{mark}" for mark, is_so in marks.items() if is_so)


def moment(message: MessageJSON) -> datetime:
    return datetime.fromisoformat(message["created_at"])


def lines_of(messages: Iterable[MessageJSON], *, conversation: Mapping[str, Any], viewer: User) -> list[Line]:
    """Draw up the lines of a page of messages: who speaks, where a day begins, where another speaker does."""
    known = list(messages)
    names = names_of_senders(known, names_in(conversation))
    return [
        Line(
            message=message,
            sender=names.get(message["sender_id"], "Someone"),
            is_mine=message["sender_id"] == str(viewer.pk),
            opens_day=opens_day(previous, message),
            opens=opens(previous, message),
        )
        for previous, message in zip([None, *known], known, strict=False)
    ]


def names_of_senders(messages: Iterable[MessageJSON], names: dict[str, str]) -> dict[str, str]:
    """Add the names of those who have left, or are too many to be listed."""
    unknown = {message["sender_id"] for message in messages} - names.keys()
    if not unknown:
        return names
    users = User.objects.in_bulk([UUID(each) for each in unknown])
    return names | {str(user.pk): user.name for user in users.values()}


def opens_day(previous: MessageJSON | None, message: MessageJSON) -> bool:
    return previous is None or moment(previous).date() != moment(message).date()


def opens(previous: MessageJSON | None, message: MessageJSON) -> bool:
    """Tell whether a line begins a group: a new day, another sender, a notice, or five minutes of silence."""
    if previous is None or opens_day(previous, message) or "notice" in (previous["kind"], message["kind"]):
        return True
    return previous["sender_id"] != message["sender_id"] or moment(message) - moment(previous) >= PAUSE
