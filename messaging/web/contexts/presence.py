"""What a page shows of a person's presence."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from accounts.people.devices import seen_words
from chatproject.core.errors import Unavailable
from messaging.presence.queries import show_presence
from messaging.web.phrases import fill, patterns


@dataclass(frozen=True, slots=True)
class PresenceLabel:
    """Whether a person is online, or when they were last seen."""

    text: str
    classes: str = ""

    @classmethod
    def of(cls, *, by: User, other: User) -> "PresenceLabel | None":
        """Return what one person may know of another's presence; None if that is nothing."""
        words = patterns()
        try:
            presence = show_presence(by=by, other_id=other.pk)
        except (User.DoesNotExist, Unavailable):
            return None
        if presence["online"]:
            return cls(words["online"], "presence--online")
        if presence["last_seen"] is None:
            return None
        return cls(fill(words["seen"], when=seen_words(datetime.fromisoformat(presence["last_seen"]))))
