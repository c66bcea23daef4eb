"""The hub: one in each server process, between the channel layer and the sockets that are connected here.

The database is the truth and the layer a hint. The hub knows the version of every conversation and person that its
sockets are in, delivers what follows, holds what does not for a moment, then reads what is missing from the database
once for all its sockets. Every few seconds it compares all the versions it knows with the database's.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import Context
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer

from accounts.realtime import Envelope, conversation_group, encode, user_group
from chatproject import metrics
from messaging import snapshots
from messaging.hearing import Heard, Person, Socket
from messaging.snapshots import Membership, Newer

logger = logging.getLogger(__name__)

GAP_GRACE = 0.03
AUDIT_EVERY = 4.0
AUDIT_GRACE = 0.25
AUDIT_PATIENCE = 10.0
"""Seconds after which an audit that gets no answer is begun anew."""
REPAIR_MOST = 500
"""Changes that are read and sent after a gap; beyond that the sockets are told to fetch for themselves."""


class Hub:
    """Tables of who is here and what they hear, kept true by events, repairs and the audit."""

    def __init__(self) -> None:
        self._people: dict[UUID, Person] = {}
        self._conversations: dict[UUID, Heard] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._inbox: str | None = None
        self._starting = asyncio.Lock()
        self._audit_now = asyncio.Event()

    # Sockets come and go

    async def attach(self, socket: Socket) -> None:
        """Let a socket hear everything its person is in; return when it does."""
        await self._start()
        person = self._people.get(socket.user_id)
        if person is None:
            person = self._people[socket.user_id] = Person(socket.user_id)
        person.sockets.add(socket)
        metrics.SOCKETS.inc()
        for id, place in person.conversations.items():
            if (heard := self._conversations.get(id)) is not None:
                heard.listeners[socket] = place
        self._refresh(person)
        await person.ready.wait()

    def detach(self, socket: Socket) -> None:
        """Forget a socket; the last one of a conversation or person takes the subscription with it."""
        person = self._people.get(socket.user_id)
        if person is None or socket not in person.sockets:
            return
        person.sockets.discard(socket)
        metrics.SOCKETS.dec()
        for id in person.conversations:
            self._stop_listening(socket, id)
        if not person.sockets:
            del self._people[person.id]
            self._task(self._discard(user_group(person.id), lambda: person.id not in self._people))

    def _stop_listening(self, socket: Socket, conversation_id: UUID) -> None:
        heard = self._conversations.get(conversation_id)
        if heard is not None:
            heard.listeners.pop(socket, None)
            if not heard.listeners:
                self._stop_following(conversation_id)

    def _stop_following(self, conversation_id: UUID) -> None:
        del self._conversations[conversation_id]
        group = conversation_group(conversation_id)
        self._task(self._discard(group, lambda: conversation_id not in self._conversations))

    async def _discard(self, group: str, is_unwanted: Callable[[], bool]) -> None:
        if is_unwanted():
            await self._layer.group_discard(group, self._inbox)

    # Events

    async def _start(self) -> None:
        async with self._starting:
            if self._inbox is None:
                self._layer = get_channel_layer()._get_layer()
                self._inbox = await self._layer.new_channel()
                self._layer.on_lost = self._audit_now.set
                self._task(self._receive())
                self._task(self._audit())

    async def _receive(self) -> None:
        while True:
            try:
                self._hear(await self._layer.receive(self._inbox))
            except Exception:
                logger.exception("an event could not be delivered")

    def _hear(self, envelope: Envelope) -> None:
        if "conversation" in envelope:
            heard = self._conversations.get(UUID(bytes=envelope["conversation"]))
            if heard is not None and not heard.accept(envelope):
                self._mend(heard, after=GAP_GRACE)
        else:
            person = self._people.get(UUID(bytes=envelope["user"]))
            if person is not None and envelope["version"] > person.version:
                self._refresh(person)

    # Repairs

    def _mend(self, heard: Heard, *, after: float) -> None:
        if heard.mending is None or heard.mending.done():
            heard.mending = self._task(self._mend_soon(heard, after))

    async def _mend_soon(self, heard: Heard, after: float) -> None:
        """Wait for what may still be on its way, then read what is missing until nothing is: one reader at a time."""
        await asyncio.sleep(after)
        while heard.version >= 0 and heard.id in self._conversations and heard.is_behind:
            await self._read_missing(heard)
            metrics.GAPS.inc()
            if heard.is_behind:
                await asyncio.sleep(GAP_GRACE)

    async def _read_missing(self, heard: Heard) -> None:
        # Whoever comes while this is read was judged by a newer look than this one.
        judged = list(heard.listeners)
        people = {socket.user_id for socket in judged}
        seen = await snapshots.changes(heard.id, after=heard.version, people=people, most=REPAIR_MOST)
        for socket in judged:
            self._judge(heard, socket, seen.places.get(socket.user_id))
        if not heard.listeners and self._conversations.get(heard.id) is heard:
            self._stop_following(heard.id)
        heard.epoch = seen.epoch
        for version, since, frame in seen.changes:
            if version > heard.version:
                heard.deliver(version, frame, since=since)
        heard.version = max(heard.version, seen.version)
        heard.expected = min(heard.expected, heard.version)
        heard.forget_until(heard.version)

    def _judge(self, heard: Heard, socket: Socket, place: Membership | None) -> None:
        """Let a socket go on hearing as its person's place is now; without one, nothing of that person hears more."""
        person = self._people.get(socket.user_id)
        if place is None and person is not None:
            for each in person.sockets:
                heard.listeners.pop(each, None)
            # The refresh finds out whether the person is out, or has only just come in.
            person.conversations.pop(heard.id, None)
            self._refresh(person)
        elif place is not None and socket in heard.listeners:
            heard.listeners[socket] = place

    def _refresh(self, person: Person) -> None:
        """Read anew what a person is in, once more if something happens meanwhile."""
        person.stale = True
        if person.refreshing is None or person.refreshing.done():
            person.refreshing = self._task(self._refresh_until_fresh(person))

    async def _refresh_until_fresh(self, person: Person) -> None:
        while person.stale and person.sockets:
            person.stale = False
            try:
                await self._read_person(person)
            except Exception:
                logger.exception("a person's conversations could not be read")
                person.stale = True
                await asyncio.sleep(0.5)

    async def _read_person(self, person: Person) -> None:
        """Subscribe, then read, then apply what is newer."""
        await self._layer.group_add_many([user_group(person.id)], self._inbox)
        # Whoever comes later than this may have a session that is younger than what is read.
        sockets = list(person.sockets)
        seen = await snapshots.person(person.id)
        for id in person.conversations.keys() - seen.places.keys():
            del person.conversations[id]
            for socket in person.sockets:
                self._stop_listening(socket, id)
        new = {id: place for id, place in seen.places.items() if id not in person.conversations}
        await self._follow(new)
        for id, place in new.items():
            await self._let_hear(person, id, place)
        for socket in sockets:
            if socket.session_id not in seen.sessions and socket in person.sockets:
                socket.end(4503, "session_revoked", "This session has ended.")
        person.version = seen.version
        person.ready.set()

    async def _follow(self, ids: Iterable[UUID]) -> None:
        """Subscribe to conversations and read how far they are, those that are not followed yet."""
        for id in ids:
            self._conversations.setdefault(id, Heard(id))
        await self._layer.group_add_many([conversation_group(id) for id in ids], self._inbox)
        unread = [id for id in ids if id in self._conversations and self._conversations[id].version < 0]
        for id, version, epoch in await snapshots.versions(unread) if unread else ():
            heard = self._conversations.get(id)
            if heard is not None and heard.version < 0:
                heard.version, heard.epoch = version, epoch
                heard.forget_until(version)
                if heard.held:
                    self._mend(heard, after=0)

    async def _let_hear(self, person: Person, id: UUID, place: Membership) -> None:
        """Let someone's sockets hear a conversation; to those that were here before it, tell of it first."""
        if person.ready.is_set() and person.sockets:
            await self._introduce(person, id)
        heard = self._conversations.get(id)
        if heard is None:
            # Its last listener left while we were joining.
            person.stale = True
        elif person.sockets:
            person.conversations[id] = place
            for socket in person.sockets:
                heard.listeners[socket] = place
        elif not heard.listeners:
            self._stop_following(id)

    async def _introduce(self, person: Person, id: UUID) -> None:
        """Tell of a conversation in its present state, so that the events heard after it go on from there."""
        while True:
            shown = await snapshots.conversation(person.id, id)
            heard = self._conversations.get(id)
            if heard is None or heard.version <= shown["version"]:
                break
        frame = encode({"type": "conversation.created", "data": shown})
        for socket in person.sockets:
            socket.deliver(frame)

    # The audit

    async def _audit(self) -> None:
        """Compare every version known here with the database's, again and again; at once when messages may be lost."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._audit_now.wait(), AUDIT_EVERY)
            self._audit_now.clear()
            try:
                async with asyncio.timeout(AUDIT_PATIENCE):
                    await self._audit_once()
            except Exception as error:
                logger.warning("the audit could not look: %s", error)

    async def _audit_once(self) -> None:
        groups = [conversation_group(id) for id in self._conversations] + [user_group(id) for id in self._people]
        await self._layer.group_add_many(groups, self._inbox)
        behind = await self._newer()
        if not any(behind):
            return
        # What has only just been committed is still on its way.
        await asyncio.sleep(AUDIT_GRACE)
        for id, version in behind.conversations.items():
            if (heard := self._conversations.get(id)) and heard.version < version:
                metrics.FOUND_BY_AUDIT.inc()
                heard.expected = version
                self._mend(heard, after=0)
        for id, version in behind.people.items():
            if (person := self._people.get(id)) and person.version < version:
                metrics.FOUND_BY_AUDIT.inc()
                self._refresh(person)

    async def _newer(self) -> Newer:
        return await snapshots.newer(
            {id: heard.version for id, heard in self._conversations.items() if heard.version >= 0},
            {id: person.version for id, person in self._people.items() if person.ready.is_set()},
        )

    def _task(self, coroutine: Any) -> asyncio.Task[Any]:
        """Run something that outlives the socket which caused it, so it does not log under that one's name."""
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(coroutine, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("a task of the hub failed; the audit goes on", exc_info=error)


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
