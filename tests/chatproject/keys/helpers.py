"""Keys and servers for the tests of the registry."""

import base64
import os
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from django.db.models import F

from chatproject.core.encryption.ring import KeyRing
from chatproject.keys import registry
from chatproject.keys.preparation import own_connection
from chatproject.keys.registry import Registered
from chatproject.models import ServerReport


def new_key() -> str:
    """Make a key as it stands in CHAT_KEYS."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@dataclass
class Process:
    """A server process, as far as the registry knows it: its keys, and what it does with what it learns."""

    keys: list[str]
    server: UUID = field(default_factory=uuid4)
    refuses: bool = False

    def __post_init__(self) -> None:
        self.ring = KeyRing(self.keys)

    @property
    def ids(self) -> list[str]:
        return registry.ids_of(self.ring)

    def report(self) -> Registered:
        """Report as a real process does, and follow what is registered."""
        found = registry.report(own_connection(), server=self.server, kind="web", ring=self.ring)
        self.ring.set_current(bytes.fromhex(found.current))
        self.refuses = bool(found.missing(self.ring, "current"))
        return found

    @property
    def seals_with(self) -> bytes:
        return self.ring.current

    def opens(self, key: bytes) -> bool:
        return key in self.ring.keys


def pass_time(seconds: float) -> None:
    """Let so much time pass for the registry."""
    by = timedelta(seconds=seconds)
    ServerReport.objects.update(seen_at=F("seen_at") - by, since=F("since") - by)
