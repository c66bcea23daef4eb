"""Who hears what in one server process: the hub's tables."""

import asyncio
from typing import Protocol
from uuid import UUID

from accounts.realtime import Envelope
from messaging.snapshots import Membership, resync


class Socket(Protocol):
    """What the hub needs of a connected device. Neither call waits."""

    user_id: UUID
    session_id: UUID

    def deliver(self, frame: str) -> None: ...

    def end(self, code: int, error: str, detail: str) -> None: ...


class Heard:
    """A conversation that someone here is in: how far it has been heard, and who listens."""

    __slots__ = ("epoch", "expected", "held", "id", "listeners", "mending", "version")

    def __init__(self, id: UUID) -> None:
        self.id = id
        self.version = -1
        """-1 until it has been read for the first time; what comes before that is held."""
        self.epoch = -1
        self.expected = -1
        """The version that the database is known to have reached."""
        self.listeners: dict[Socket, Membership] = {}
        self.held: dict[int, Envelope] = {}
        self.mending: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Tell whether something is known to be missing."""
        return bool(self.held) or self.expected > self.version

    def accept(self, envelope: Envelope) -> bool:
        """Deliver an event that follows the last, and what was held for it; False if something is missing."""
        if envelope["version"] > self.version:
            self.held[envelope["version"]] = envelope
        while (following := self.held.get(self.version + 1)) and following.get("epoch") == self.epoch:
            del self.held[self.version + 1]
            self.deliver(self.version + 1, following["frame"])
        return not self.held

    def deliver(self, version: int, frame: str, *, since: int | None = None) -> None:
        """Hand one frame to everyone who may hear what happened at this version.

        It may be about a message from before, at the position `since`: who does not see that is told to fetch.
        """
        self.version = version
        since = version if since is None else since
        for socket, place in self.listeners.items():
            if place.visible_from < since:
                socket.deliver(frame)
            elif place.visible_from < version:
                socket.deliver(resync(self.id))

    def forget_until(self, version: int) -> None:
        self.held = {n: envelope for n, envelope in self.held.items() if n > version}


class Person:
    """Someone with sockets here, and the conversations that they are in."""

    __slots__ = ("conversations", "id", "ready", "refreshing", "sockets", "stale", "version")

    def __init__(self, id: UUID) -> None:
        self.id = id
        self.version = -1
        self.sockets: set[Socket] = set()
        self.conversations: dict[UUID, Membership] = {}
        self.ready = asyncio.Event()
        self.refreshing: asyncio.Task[None] | None = None
        self.stale = False
