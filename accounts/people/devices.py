"""What to call a device, and when it was last here, in words for the person it belongs to."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.timesince import timesince

from accounts.models import Session

# The first that matches is right: most browsers claim to be the ones below them as well.
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
    """One of somebody's sessions, as they see it."""

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
    """Make "Firefox on Linux" of what a browser says of itself; a name that an app chose stays as it is."""
    browser, system = _first(BROWSERS, name), _first(SYSTEMS, name)
    if browser and system:
        return f"{browser} on {system}"
    if name.startswith("Mozilla/"):
        return browser or system or "A browser"
    return name or "A device without a name"


def seen_words(moment: datetime) -> str:
    """Say how long ago someone was here, as far as it matters."""
    if timezone.now() - moment < NOW:
        return "just now"
    return f"{timesince(moment, depth=1)} ago".replace("\xa0", " ")


def _first(patterns: dict[str, re.Pattern[str]], text: str) -> str:
    return next((name for name, pattern in patterns.items() if pattern.search(text)), "")
