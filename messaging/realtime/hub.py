"""The hub: one in each server process, between the channel layer and the sockets that are connected here.

The database is the truth and the layer a hint. The hub knows the version of every conversation and person that its
sockets are in, delivers what follows, holds what does not for a moment, then reads what is missing from the database
once for all its sockets. The audit (`audit.py`) finds what nobody told it.

Nobody listens by a place that is older than the membership which the conversation is heard with: that is what the
epochs are compared for, wherever a place and a conversation were read apart.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from accounts.changes import PersonalSettingsChanged, UserChanged
from chatproject.core import metrics
from chatproject.core.background import Background
from chatproject.core.one_per_loop import OnePerLoop
from chatproject.core.realtime import EVERYONE, ConversationEvent, HubEvent, UserFrame, encode, user_group
from conversations.events import ConversationRemoved
from conversations.models import Conversation, Departure
from messaging.messages.json import ConversationJSON
from messaging.presence.events import AnnouncementFrame, PresenceHint, TypingSignal, UserDisconnected
from messaging.realtime import queries
from messaging.realtime.personal_settings import Settled
from messaging.realtime.presence import Presence
from messaging.realtime.queries import ConversationSeen, Membership, PersonSeen
from messaging.realtime.receipts import ReceiptsHeard
from messaging.realtime.reconciler import Audit, Findings
from messaging.realtime.subscriptions import Following
from messaging.realtime.tables import Heard, Person, Socket
from messaging.realtime.typing import Typists
from messaging.receipts.events import ReceiptsChanged
from messaging.sync.replay import as_begun

logger = logging.getLogger(__name__)

GAP_GRACE = 0.03
REPAIR_PATIENCE = 3.0
"""Seconds after which the database is asked again: its answer may have been lost without a word."""
REPAIR_PAUSE = 0.5
REPAIR_MOST = 500
"""Changes that are read and sent after a gap; beyond that the sockets are told to fetch for themselves."""


class Hub:
    """Tables of who is here and what they hear, kept true by events, repairs and the audit."""

    def __init__(self) -> None:
        self._people: dict[UUID, Person] = {}
        self._background = Background()
        self._following = Following(self._background)
        self._receipts = ReceiptsHeard()
        self._settled = Settled(self._people, self._background)
        mend = Findings(lambda heard: self._mend(heard, after=0), self._refresh, self._receive)
        self._audit = Audit(self._following, self._people, self._receipts, mend=mend)
        self.presence = Presence(self._following, self._background)
        self.typists = Typists(self._following, self._background)
        self._handlers: dict[type[HubEvent], Callable[[Any], None]] = {
            ConversationEvent: self._on_conversation_event,
            ReceiptsChanged: self._on_receipts_changed,
            UserChanged: self._on_user_changed,
            PersonalSettingsChanged: self._on_personal_settings_changed,
            UserFrame: self._on_user_frame,
            UserDisconnected: self._on_user_disconnected,
            AnnouncementFrame: self._on_announcement,
            PresenceHint: self.presence.watching.hear,
            TypingSignal: self.typists.hear,
        }

    # Sockets come and go

    async def attach(self, socket: Socket) -> None:
        """Let a socket hear everything its person is in; return when it does."""
        if self._following.open(hear=self._receive, decode=_decoder(self._handlers), on_lost=self._look_soon):
            self._background.run(self._audit.run())
        person = self._people.get(socket.user_id)
        if person is None:
            person = self._people[socket.user_id] = Person(socket.user_id)
        person.sockets.add(socket)
        metrics.SOCKETS.inc()
        for id, place in person.conversations.items():
            if (heard := self._following.heard.get(id)) is not None:
                heard.listeners[socket] = place
        self._refresh(person)
        await person.until_ready()

    def detach(self, socket: Socket) -> None:
        """Forget a socket; the last one of a conversation or person takes the subscription with it."""
        self.typists.forget(socket)
        self.presence.watching.forget(socket)
        self.presence.leave(socket)
        person = self._people.get(socket.user_id)
        if person is None or socket not in person.sockets:
            return
        person.sockets.discard(socket)
        metrics.SOCKETS.dec()
        for id in person.conversations:
            self._following.stop_listening(socket, id)
        if not person.sockets:
            del self._people[person.id]
            self._following.drop(user_group(person.id), is_unwanted=lambda: person.id not in self._people)

    def is_in(self, user_id: UUID, conversation_id: UUID) -> bool:
        """Tell whether someone who is connected here is known to be in a conversation."""
        person = self._people.get(user_id)
        return person is not None and conversation_id in person.conversations

    async def stop(self) -> None:
        """Hear and look after nothing any more: the process ends."""
        await self.presence.stop()
        await self._background.stop()
        await queries.close()

    # What sockets do that leaves no trace

    def open_conversation(self, socket: Socket, id: UUID) -> None:
        """Note that someone looks at a conversation; Conversation.DoesNotExist for strangers."""
        self._following.place_of(socket, id)
        self.presence.open(socket, id)

    def close_conversation(self, socket: Socket, id: UUID) -> None:
        """Note that someone looks at a conversation no more; Conversation.DoesNotExist for strangers."""
        self._following.place_of(socket, id)
        self.presence.close(socket, id)

    # Events

    def _receive(self, event: HubEvent) -> None:
        try:
            self._handlers[type(event)](event)
        except Exception:
            logger.exception("an event could not be delivered")

    def _on_conversation_event(self, event: ConversationEvent) -> None:
        heard = self._following.heard.get(event.conversation_id)
        if heard is not None and not heard.accept(event):
            # Where only the members have changed there is nothing to wait for.
            self._mend(heard, after=0 if heard.has_next else GAP_GRACE)

    def _on_receipts_changed(self, event: ReceiptsChanged) -> None:
        heard = self._following.heard.get(event.conversation_id)
        if heard is not None:
            self._receipts.hear(heard, event, self._people.get)

    def _on_announcement(self, event: AnnouncementFrame) -> None:
        """Deliver an announcement to everyone here, or to the members of one conversation."""
        sockets: Iterable[Socket] = (socket for person in self._people.values() for socket in person.sockets)
        if event.conversation_id is not None:
            heard = self._following.heard.get(event.conversation_id)
            sockets = heard.listeners if heard is not None else ()
        for socket in list(sockets):
            socket.deliver(event.frame)

    def _on_user_disconnected(self, event: UserDisconnected) -> None:
        person = self._people.get(event.user_id)
        for socket in list(person.sockets) if person is not None else ():
            socket.end(4503, "session_revoked", "The staff has closed this connection.")

    def _on_user_frame(self, event: UserFrame) -> None:
        person = self._people.get(event.user_id)
        if person is not None:
            person.hear(event.frame)

    def _on_user_changed(self, event: UserChanged) -> None:
        person = self._people.get(event.user_id)
        if person is not None and event.version > person.version:
            self._refresh(person)

    def _on_personal_settings_changed(self, event: PersonalSettingsChanged) -> None:
        """Deliver the settings where nothing came before this change; reload the person otherwise."""
        person = self._people.get(event.user_id)
        if person is None or event.version <= person.version:
            return
        if person.is_next(event.version):
            person.version = event.version
            self._settled.add(person, event.conversation_ids)
        else:
            self._refresh(person)

    # What is missing of a conversation

    def _mend(self, heard: Heard, *, after: float) -> None:
        if heard.mending is None or heard.mending.done():
            heard.mending = self._background.run(self._mend_soon(heard, after))

    async def _mend_soon(self, heard: Heard, after: float) -> None:
        """Wait for what may still be on its way, then read what is missing until nothing is: one reader at a time."""
        await asyncio.sleep(after)
        while heard.version >= 0 and self._following.follows(heard) and heard.is_behind:
            is_gap = not heard.has_next
            try:
                await self._read_missing(heard)
            except (psycopg.Error, OSError, TimeoutError) as error:
                logger.warning("what is missing could not be read, and is asked for again: %s", type(error).__name__)
                await asyncio.sleep(REPAIR_PAUSE)
                continue
            if is_gap:
                metrics.GAPS.inc()
            if heard.is_behind:
                await asyncio.sleep(GAP_GRACE)

    async def _read_missing(self, heard: Heard) -> None:
        is_judged = False
        while not is_judged:
            people = {socket.user_id for socket in heard.listeners}
            async with asyncio.timeout(REPAIR_PATIENCE):
                seen = await queries.changes(heard.id, after=heard.version, people=people, most=REPAIR_MOST)
            # Whoever came meanwhile may have been seen in before, and be out now.
            is_judged = all(
                socket.user_id in people or seen is None or place.epoch >= seen.epoch
                for socket, place in heard.listeners.items()
            )
        for user_id in people:
            self._judge(heard, user_id, seen)
        self._following.let_go(heard)
        if seen is not None:
            heard.catch_up(seen)

    def _judge(self, heard: Heard, user_id: UUID, seen: ConversationSeen | None) -> None:
        """Let someone go on hearing as their place is now; who is out, or came anew, hears no more by the old one."""
        person = self._people.get(user_id)
        if person is None or heard.id not in person.conversations:
            return
        known, place = person.conversations[heard.id], seen.places.get(user_id) if seen else None
        if seen is not None and known.epoch > seen.epoch:
            return
        if place is not None and place.joined_version == known.joined_version:
            self._seat(person, heard, place.told_until(known.hears_from))
        else:
            self._lose(person, heard.id)
            # It finds out whether the person is out or has come anew, and tells.
            self._refresh(person)

    def _seat(self, person: Person, heard: Heard, place: Membership) -> None:
        person.conversations[heard.id] = place
        person.lost.discard(heard.id)
        for socket in person.sockets:
            heard.listeners[socket] = place

    def _lose(self, person: Person, id: UUID) -> None:
        del person.conversations[id]
        person.lost.add(id)
        for socket in person.sockets:
            self._following.stop_listening(socket, id)
            self.presence.close(socket, id)

    # What is new of a person

    def _refresh(self, person: Person) -> None:
        """Read anew what a person is in, once more if something happens meanwhile."""
        person.stale = True
        if person.refreshing is None or person.refreshing.done():
            person.refreshing = self._background.run(self._refresh_until_fresh(person))

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
        await self._following.add([EVERYONE, user_group(person.id)])
        # Whoever comes later than this may have a session that is younger than what is read.
        sockets = list(person.sockets)
        known = person.conversations.keys() | person.lost
        seen = await queries.person(person.id, after=person.version, known=known)
        self._close(person.sockets.intersection(sockets), seen)
        self._leave(person, seen)
        self._keep_rights(person, seen)
        kept = set(person.conversations)
        new = {id: place for id, place in seen.places.items() if id not in kept}
        for heard in await self._following.follow(new.keys()):
            self._mend(heard, after=0)
        for id, place in new.items():
            await self._let_hear(person, id, place)
        if person.is_ready:
            self._settled.add(person, kept.intersection(seen.settled))
        person.version, person.sees_receipts = seen.version, seen.sees_receipts
        person.set_ready()

    def _close(self, sockets: Collection[Socket], seen: PersonSeen) -> None:
        """Close those whose session has ended, and all if the person is suspended."""
        for socket in sockets:
            if seen.is_suspended:
                socket.end(4504, "suspended", "This account is suspended.")
            elif socket.session_id not in seen.sessions:
                socket.end(4503, "session_revoked", "This session has ended.")

    def _leave(self, person: Person, seen: PersonSeen) -> None:
        """Let a person hear no more of what they are out of, and tell why."""
        for id, place in list(person.conversations.items()):
            now = seen.places.get(id)
            if now is None or now.joined_version != place.joined_version:
                self._lose(person, id)
        for id in person.lost - seen.places.keys():
            person.lost.discard(id)
            reason = seen.departures.get(id, Departure.Reason.REMOVED.value)
            person.hear(ConversationRemoved(str(id), reason).frame())

    def _keep_rights(self, person: Person, seen: PersonSeen) -> None:
        """Keep up with who may not write where: nothing else tells of it."""
        for id, place in person.conversations.items():
            if place.barred != seen.places[id].barred and (heard := self._following.heard.get(id)) is not None:
                self._seat(person, heard, place._replace(barred=not place.barred))

    async def _let_hear(self, person: Person, id: UUID, place: Membership) -> None:
        """Let someone's sockets hear a conversation; to those that were here before it, tell of it first."""
        if person.is_ready and person.sockets:
            place = place.told_until(await self._introduce(person, id))
        heard = self._following.heard.get(id)
        if heard is None or place.epoch < heard.epoch:
            # The last listener left while we were joining, or the members have changed since this place was read.
            person.stale = True
        elif person.sockets:
            self._seat(person, heard, place)
        if heard is not None:
            self._following.let_go(heard)

    async def _introduce(self, person: Person, id: UUID) -> int:
        """Tell of a conversation in its present state, of a direct one as it began and with all that happened since;
        give its version, from which the events heard after it go on.
        """
        while True:
            shown = await queries.conversation(person.id, id)
            introduction = await self._introduction(shown) if shown else None
            heard = self._following.heard.get(id)
            if not introduction:
                person.stale = True
                return 0
            version, frames = introduction
            if heard is None or heard.version <= version:
                break
        for frame in frames:
            person.hear(frame)
        return version

    async def _introduction(self, shown: ConversationJSON) -> tuple[int, list[bytes]] | None:
        """Write the events that introduce a conversation, up to a version; None if it is no more.

        No message is hidden in the introduction of a direct conversation: each has an event of its own.
        """
        if shown["kind"] != Conversation.Kind.DIRECT or not shown["version"]:
            return shown["version"], [_created(shown)]
        since = await queries.changes(UUID(shown["id"]), after=0, people=(), most=REPAIR_MOST)
        if since is None:
            return None
        return since.version, [_created(as_begun(shown)), *(each.frame for each in since.changes)]

    def _look_soon(self) -> None:
        """Something may have been lost on the way."""
        self._audit.look_soon()
        self.presence.look_soon()


def _created(shown: ConversationJSON) -> bytes:
    return encode({"type": "conversation.created", "data": shown})


def _decoder(kinds: Iterable[type[HubEvent]]) -> Callable[[bytes], HubEvent]:
    """Read these kinds of events as other servers send them; msgspec.DecodeError for any other."""
    decode: Callable[[bytes], HubEvent] = msgspec.msgpack.Decoder(reduce(or_, kinds)).decode
    return decode


hub = OnePerLoop(Hub)
"""The hub of the running event loop."""
