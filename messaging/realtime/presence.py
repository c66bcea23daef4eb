"""Who is connected to this server process, since when, viewing which conversations; and publishing that."""

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
from messaging.presence.socket_limit import SOCKETS_PER_PERSON
from messaging.presence.socket_registry import Registry
from messaging.realtime.people import Socket
from messaging.realtime.presence_watchers import PresenceWatchers
from messaging.realtime.subscriptions import Subscriptions

logger = logging.getLogger(__name__)

RECORD_EVERY = 60.0
"""Seconds between two writes of when the connected sessions were last here."""
BATCHING_SECONDS = 0.2
OPEN_MOST = 20
"""Conversations that one socket may have open."""


@dataclass(slots=True)
class Entry:
    """A connected socket as the registry knows it."""

    id: str
    member: str
    open: set[UUID] = field(default_factory=set)


class Presence:
    """The sockets of this server process, as others may query them."""

    def __init__(self, subscriptions: Subscriptions, background: Background) -> None:
        self.watchers = PresenceWatchers(subscriptions, background)
        self._registry = Registry(background, on_vanished=self.watchers.query_all)
        self._background = background
        self._entries: dict[Socket, Entry] = {}
        self._sockets_of: dict[UUID, set[Socket]] = {}
        self._to_record: set[UUID] = set()
        self._recording: asyncio.Task[None] | None = None
        self._recording_all: asyncio.Task[None] | None = None

    # Sockets come and go

    async def enter(self, socket: Socket) -> bool:
        """Register a socket as connected; False if its person has too many, here or on other servers."""
        if len(self._sockets_of.get(socket.user_id, ())) >= SOCKETS_PER_PERSON:
            return False
        id = secrets.token_hex(8)
        member = socket_member(socket.user_id, id, socket.session_id, int(time.time() * 1000))
        self._entries[socket] = Entry(id, member)
        self._sockets_of.setdefault(socket.user_id, set()).add(socket)
        before = await self._registry.enter(member)
        if socket not in self._entries:
            # It has disconnected meanwhile, and the registry must not keep it.
            self._registry.remove("sockets", member)
            return False
        if before is not None and before >= SOCKETS_PER_PERSON:
            self._forget(socket)
            return False
        self._record_soon(socket.session_id)
        if not before:
            self._publish(socket.user_id)
        return True

    def leave(self, socket: Socket) -> None:
        """Remove a socket from those that are connected; nothing happens if it was none."""
        if socket not in self._entries:
            return
        entry = self._forget(socket)
        for id in list(entry.open):
            self._close(socket, entry, id)
        removed = self._registry.remove("sockets", entry.member)
        self._record_soon(socket.session_id)
        if socket.user_id not in self._sockets_of:
            removed.add_done_callback(lambda _: self._publish(socket.user_id))

    async def stop(self) -> None:
        """Store that everyone here was here until now, and let the others know at once: the process ends."""
        sessions = self._to_record | {socket.session_id for socket in self._entries}
        self._to_record = set()
        if sessions:
            await self._record(sessions)
        await self._registry.withdraw()

    def check_soon(self) -> None:
        """Check at once what Redis may have lost."""
        self._registry.check_soon()
        self.watchers.query_all()

    def _forget(self, socket: Socket) -> Entry:
        sockets = self._sockets_of[socket.user_id]
        sockets.discard(socket)
        if not sockets:
            del self._sockets_of[socket.user_id]
        return self._entries.pop(socket)

    def _publish(self, user_id: UUID) -> None:
        self._background.run(publish_soon([PresenceHint(user_id)]))

    # What they view

    def open(self, socket: Socket, conversation_id: UUID) -> None:
        """Note that someone views a conversation, which they are a member of."""
        entry = self._entries[socket]
        if conversation_id in entry.open:
            return
        if len(entry.open) >= OPEN_MOST:
            raise Unprocessable(f"At most {OPEN_MOST} conversations can be open.", pointer="/conversation_id")
        entry.open.add(conversation_id)
        for member in open_members(conversation_id, socket.user_id, entry.id):
            self._registry.add("open", member)

    def close(self, socket: Socket, conversation_id: UUID) -> None:
        """Note that someone does not view it any more; nothing happens if they did not."""
        entry = self._entries.get(socket)
        if entry is not None and conversation_id in entry.open:
            self._close(socket, entry, conversation_id)

    def _close(self, socket: Socket, entry: Entry, conversation_id: UUID) -> None:
        entry.open.discard(conversation_id)
        for member in open_members(conversation_id, socket.user_id, entry.id):
            self._registry.remove("open", member)

    # When they were last here

    def _record_soon(self, session_id: UUID) -> None:
        """Store soon that a session is or was here, with others that come or go at the same time."""
        self._to_record.add(session_id)
        if self._recording_all is None:
            self._recording_all = self._background.run(self._record_all_regularly())
        if self._recording is None or self._recording.done():
            self._recording = self._background.run(self._record_batches())

    async def _record_batches(self) -> None:
        while self._to_record:
            await asyncio.sleep(BATCHING_SECONDS)
            sessions, self._to_record = self._to_record, set()
            await self._record(sessions)

    async def _record_all_regularly(self) -> None:
        while True:
            await asyncio.sleep(RECORD_EVERY)
            await self._record({socket.session_id for socket in self._entries})

    async def _record(self, sessions: Collection[UUID]) -> None:
        try:
            await in_thread(record_presence)(sessions)
        except Exception as error:
            logger.warning("when people were last here could not be stored: %s", type(error).__name__)
