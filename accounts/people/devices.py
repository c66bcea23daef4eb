"""The names of devices and the times of their last use, in words for the person they belong to."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.timesince import timesince

from accounts.models import Session

# The first match is right: most browsers also send the names of those below them.
BROWSERS = {
    "Edge": re.compile(r"Edg(e|A|iOS)?/"),
    "Opera": re.compile(r"OPR/|Opera"),
    "Samsung Internet": re.compile(r"SamsungBrowser/"),
    "Firefox": re.compile(r"Firefox/|FxiOS/"),
    "Chrome": re.compile(r"Chrome/|CriOS/|Chromium/"),
    "Safari": re.compile(r"Safari/"),
}
SYSTEMS = {
    "iPhone": re.compile(r"iPhone"),
    "iPad": re.compile(r"iPad"),
    "Android": re.compile(r"Android"),
    "Windows": re.compile(r"Windows"),
    "Mac": re.compile(r"Macintosh|Mac OS X"),
    "ChromeOS": re.compile(r"CrOS"),
    "Linux": re.compile(r"Linux|X11"),
}
NOW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Device:
    """A session as its person sees it."""

    id: UUID
    name: str
    address: str
    seen: str
    since: datetime
    is_this: bool

    @classmethod
    def of(cls, session: Session, *, current: Session) -> "Device":
        return cls(
            id=session.pk,
            name=device_words(session.name),
            address=session.ip or "",
            seen=seen_words(session.last_seen_at),
            since=session.created_at,
            is_this=session.pk == current.pk,
        )


def device_words(name: str) -> str:
    """Turn a User-Agent header into words such as "Firefox on Linux"; return the name that an app chose unchanged."""
    browser, system = _first(BROWSERS, name), _first(SYSTEMS, name)
    if browser and system:
        return f"{browser} on {system}"
    if name.startswith("Mozilla/"):
        return browser or system or "A browser"
    return name or "A device without a name"


def seen_words(moment: datetime) -> str:
    """Return roughly how long ago a moment was, in words."""
    if timezone.now() - moment < NOW:
        return "just now"
    return f"{timesince(moment, depth=1)} ago".replace("\xa0", " ")


def _first(patterns: dict[str, re.Pattern[str]], text: str) -> str:
    return next((name for name, pattern in patterns.items() if pattern.search(text)), "")
