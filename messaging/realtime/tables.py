"""Who hears what in one server process: the hub's tables."""

import asyncio
from typing import Protocol
from uuid import UUID

from chatproject.core.realtime import ConversationEvent
from conversations.events import ConversationUpdated
from messaging.realtime.queries import ConversationSeen, Membership


class Socket(Protocol):
    """What the hub needs of a connected device. Neither call waits."""

    user_id: UUID
    session_id: UUID

    def deliver(self, frame: bytes) -> None: ...

    def mention(self, frame: bytes) -> bool:
        """Deliver something that nobody misses, unless what counts is waiting already; tell whether it was."""

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
        self.held: dict[int, ConversationEvent] = {}
        self.mending: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Tell whether something is known to be missing."""
        return bool(self.held) or self.expected > self.version

    def accept(self, event: ConversationEvent) -> bool:
        """Deliver an event that follows the last, and what was held for it; False if something is missing."""
        if event.version > self.version:
            self.held[event.version] = event
        while (following := self.held.get(self.version + 1)) and following.epoch == self.epoch:
            del self.held[self.version + 1]
            self._deliver(self.version + 1, following.frame, since=following.since)
        return not self.held

    @property
    def has_next(self) -> bool:
        """Tell whether the next event is there, and waits for nothing but to know who is in now."""
        return self.version + 1 in self.held

    def begin(self, version: int, epoch: int) -> None:
        """Go on from a version that has been read; what came before it is known."""
        self.version, self.epoch = version, epoch
        self._forget_until(version)

    def catch_up(self, seen: ConversationSeen) -> None:
        """Deliver what has been read, as far as it was not heard meanwhile."""
        self.epoch = seen.epoch
        for version, since, frame in seen.changes:
            if version > self.version:
                self._deliver(version, frame, since=since)
        self.version = max(self.version, seen.version)
        self.expected = min(self.expected, self.version)
        self._forget_until(self.version)

    def _deliver(self, version: int, frame: bytes, *, since: int | None = None) -> None:
        """Hand one frame to everyone who may hear what happened at this version.

        It may be about a message from before, at the position `since`: who does not see that one hears that something
        has changed, and no more.
        """
        self.version = version
        since = version if since is None else since
        unseen = ConversationUpdated(str(self.id), version, self.epoch, {}).frame() if since < version else b""
        # A socket that is too slow leaves while it is handed this.
        for socket, place in list(self.listeners.items()):
            if place.hears_from < version:
                socket.deliver(frame if place.visible_from < since else unseen)

    def mention(self, frame: bytes, *, epoch: int, but: UUID) -> None:
        """Hand something that nobody misses to everyone who is in, but for one person and those who may not write to
        them. Where the membership was another when it was told, nobody hears it.
        """
        if epoch == self.epoch:
            for socket, place in list(self.listeners.items()):
                if socket.user_id != but and not place.barred:
                    socket.mention(frame)

    def _forget_until(self, version: int) -> None:
        self.held = {n: event for n, event in self.held.items() if n > version}


class Person:
    """Someone with sockets here, and the conversations that they are in."""

    __slots__ = (
        "_readiness",
        "conversations",
        "id",
        "is_ready",
        "lost",
        "refreshing",
        "sees_receipts",
        "sockets",
        "stale",
        "version",
    )

    def __init__(self, id: UUID) -> None:
        self.id = id
        self.version = -1
        self.sockets: set[Socket] = set()
        self.conversations: dict[UUID, Membership] = {}
        self.lost: set[UUID] = set()
        """Conversations that nothing is heard of any more, and that the sockets have not been told about."""
        self.is_ready = False
        self._readiness: asyncio.Future[None] | None = None
        self.refreshing: asyncio.Task[None] | None = None
        self.stale = False
        self.sees_receipts = False
        """Whether they see what others have read."""

    def is_next(self, version: int) -> bool:
        """Tell whether everything before this version of theirs is known, and nothing is being read."""
        is_reading = self.refreshing is not None and not self.refreshing.done()
        return self.is_ready and not is_reading and version == self.version + 1

    async def until_ready(self) -> None:
        """Wait until it is known what this person is in."""
        if not self.is_ready:
            self._readiness = self._readiness or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._readiness)

    def set_ready(self) -> None:
        self.is_ready = True
        if self._readiness is not None and not self._readiness.done():
            self._readiness.set_result(None)
        self._readiness = None

    def hear(self, frame: bytes) -> None:
        """Hand one frame to every device here."""
        for socket in list(self.sockets):
            socket.deliver(frame)
