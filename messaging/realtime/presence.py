"""Who is connected to this server process, since when, with what in view; and that others hear of it."""

import asyncio
import logging
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from accounts.auth.sessions import record_presence
from chatproject.core.background import Background
from chatproject.core.database import in_thread
from chatproject.core.errors import Unprocessable
from chatproject.core.realtime import publish_soon
from messaging.presence.events import PresenceHint
from messaging.presence.queries import open_members, socket_member
from messaging.presence.registry import SOCKETS_MOST, Registry
from messaging.realtime.presence_watchers import Watching
from messaging.realtime.subscriptions import Following
from messaging.realtime.tables import Socket

logger = logging.getLogger(__name__)

NOTE_EVERY = 60.0
"""Seconds between two notes of when the sessions that are connected were last here."""
GATHER = 0.2
OPEN_MOST = 20
"""Conversations that one socket may have open."""


@dataclass(slots=True)
class Entry:
    """A connected socket as the registry knows it."""

    id: str
    member: str
    open: set[UUID] = field(default_factory=set)


class Presence:
    """The sockets of this server process, as others may ask about them."""

    def __init__(self, following: Following, background: Background) -> None:
        self.watching = Watching(following, background)
        self._registry = Registry(background, on_vanished=self.watching.look_at_all)
        self._background = background
        self._entries: dict[Socket, Entry] = {}
        self._sockets_of: dict[UUID, set[Socket]] = {}
        self._seen: set[UUID] = set()
        self._noting: asyncio.Task[None] | None = None
        self._noting_all: asyncio.Task[None] | None = None

    # Sockets come and go

    async def enter(self, socket: Socket) -> bool:
        """Count a socket as connected; False if its person has too many, here or on other servers."""
        if len(self._sockets_of.get(socket.user_id, ())) >= SOCKETS_MOST:
            return False
        id = secrets.token_hex(8)
        member = socket_member(socket.user_id, id, socket.session_id, int(time.time() * 1000))
        self._entries[socket] = Entry(id, member)
        self._sockets_of.setdefault(socket.user_id, set()).add(socket)
        before = await self._registry.enter(member)
        if socket not in self._entries:
            # It has gone meanwhile, and the registry must not keep what it has only now taken.
            self._registry.remove("sockets", member)
            return False
        if before is not None and before >= SOCKETS_MOST:
            self._forget(socket)
            return False
        self._note(socket.session_id)
        if not before:
            self._tell(socket.user_id)
        return True

    def leave(self, socket: Socket) -> None:
        """Count a socket as connected no more; nothing happens if it was not."""
        if socket not in self._entries:
            return
        entry = self._forget(socket)
        for id in list(entry.open):
            self._close(socket, entry, id)
        removed = self._registry.remove("sockets", entry.member)
        self._note(socket.session_id)
        if socket.user_id not in self._sockets_of:
            removed.add_done_callback(lambda _: self._tell(socket.user_id))

    async def stop(self) -> None:
        """The process ends: let everyone here have been here until now, and the others know at once."""
        seen = self._seen | {socket.session_id for socket in self._entries}
        self._seen = set()
        if seen:
            await self._write(seen)
        await self._registry.withdraw()

    def look_soon(self) -> None:
        """Find out at once what is lost, now that Redis may have lost something."""
        self._registry.check_soon()
        self.watching.look_at_all()

    def _forget(self, socket: Socket) -> Entry:
        sockets = self._sockets_of[socket.user_id]
        sockets.discard(socket)
        if not sockets:
            del self._sockets_of[socket.user_id]
        return self._entries.pop(socket)

    def _tell(self, user_id: UUID) -> None:
        self._background.run(publish_soon([PresenceHint(user_id)]))

    # What they have in view

    def open(self, socket: Socket, conversation_id: UUID) -> None:
        """Note that someone looks at a conversation, which they are in."""
        entry = self._entries[socket]
        if conversation_id in entry.open:
            return
        if len(entry.open) >= OPEN_MOST:
            raise Unprocessable(f"At most {OPEN_MOST} conversations can be open.", pointer="/conversation_id")
        entry.open.add(conversation_id)
        for member in open_members(conversation_id, socket.user_id, entry.id):
            self._registry.add("open", member)

    def close(self, socket: Socket, conversation_id: UUID) -> None:
        """Note that someone looks at it no more; nothing happens if they did not."""
        entry = self._entries.get(socket)
        if entry is not None and conversation_id in entry.open:
            self._close(socket, entry, conversation_id)

    def _close(self, socket: Socket, entry: Entry, conversation_id: UUID) -> None:
        entry.open.discard(conversation_id)
        for member in open_members(conversation_id, socket.user_id, entry.id):
            self._registry.remove("open", member)

    # When they were last here

    def _note(self, session_id: UUID) -> None:
        """Write soon that a session is or was here, with others that come or go at the same time."""
        self._seen.add(session_id)
        if self._noting_all is None:
            self._noting_all = self._background.run(self._keep_noting())
        if self._noting is None or self._noting.done():
            self._noting = self._background.run(self._note_gathered())

    async def _note_gathered(self) -> None:
        while self._seen:
            await asyncio.sleep(GATHER)
            seen, self._seen = self._seen, set()
            await self._write(seen)

    async def _keep_noting(self) -> None:
        while True:
            await asyncio.sleep(NOTE_EVERY)
            await self._write({socket.session_id for socket in self._entries})

    async def _write(self, sessions: Collection[UUID]) -> None:
        try:
            await in_thread(record_presence)(sessions)
        except Exception as error:
            logger.warning("when people were last here could not be written: %s", type(error).__name__)
