"""The people who have sockets on this server process, and their memberships as the hub knows them."""

import asyncio
from typing import Any, NamedTuple, Protocol, Self
from uuid import UUID

from conversations.models import Participant


class Socket(Protocol):
    """What the hub needs of a connected device. No call waits."""

    user_id: UUID
    session_id: UUID

    def deliver(self, frame: bytes) -> None: ...

    def deliver_if_idle(self, frame: bytes) -> bool:
        """Deliver a frame that may be dropped, unless other frames are queued already; tell whether it was."""

    def end(self, code: int, error: str, detail: str) -> None: ...


class Membership(NamedTuple):
    """What a person may receive of a conversation, as it was when the conversation had this epoch.

    They see messages after `visible_from`, and receive what happens after `receives_from`: nothing from before they
    joined, nor what the conversation as it was shown to them contains already. Who is `barred` may not write.
    Where not `reads_all`, they see only what is addressed to them, and notices.
    """

    visible_from: int
    joined_version: int
    receives_from: int
    epoch: int
    barred: bool
    reads_all: bool = True

    @classmethod
    def of(cls, row: Any, *, epoch: int) -> Self:
        receives_from = max(row.visible_from, row.joined_version - 1)
        reads_all = row.reads != Participant.Reads.ADDRESSED
        return cls(row.visible_from, row.joined_version, receives_from, epoch, row.barred, reads_all)

    def sees(self, user_id: UUID, since: int, readers: frozenset[UUID] | None) -> bool:
        """Tell whether the person sees a message at the position `since`, which has these readers (`Change`)."""
        return self.visible_from < since and (self.reads_all or readers is None or user_id in readers)

    def received_until(self, version: int) -> Self:
        """The same membership, where everything until a version has been received."""
        return self._replace(receives_from=max(self.receives_from, version))


class Person:
    """Someone with sockets here, and the conversations that they are a member of."""

    __slots__ = (
        "_readiness",
        "id",
        "is_ready",
        "is_stale",
        "loading",
        "memberships",
        "revoked",
        "sees_receipts",
        "sockets",
        "version",
    )

    def __init__(self, id: UUID) -> None:
        self.id = id
        self.version = -1
        self.sockets: set[Socket] = set()
        self.memberships: dict[UUID, Membership] = {}
        self.revoked: set[UUID] = set()
        """Conversations from which nothing is delivered any more, but whose removal is not announced yet."""
        self.is_ready = False
        self._readiness: asyncio.Future[None] | None = None
        self.loading: asyncio.Task[None] | None = None
        self.is_stale = False
        self.sees_receipts = False
        """Whether they see what others have read."""

    def is_next(self, version: int) -> bool:
        """Tell whether everything before this version of theirs is known, and nothing is being loaded."""
        is_loading = self.loading is not None and not self.loading.done()
        return self.is_ready and not is_loading and version == self.version + 1

    async def until_ready(self) -> None:
        """Wait until this person's memberships are known."""
        if not self.is_ready:
            self._readiness = self._readiness or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._readiness)

    def stop_loading(self) -> None:
        """Give up what is being loaded, and let those who wait for it go on."""
        if self.loading is not None:
            self.loading.cancel()
        self.set_ready()

    def set_ready(self) -> None:
        self.is_ready = True
        if self._readiness is not None and not self._readiness.done():
            self._readiness.set_result(None)
        self._readiness = None

    def deliver(self, frame: bytes) -> None:
        """Deliver a frame to every device here."""
        for socket in list(self.sockets):
            socket.deliver(frame)
