"""The hub: one in each server process, between the channel layer and the sockets that are connected here.

The database is the truth, and what the layer brings is a hint. The hub knows the version of every conversation and
person of its sockets. It delivers the event that follows, keeps those that do not follow pending for a moment, and then
loads what is missing from the database once for all its sockets. Reconciliation (`reconciler.py`) finds what was never
received.

No socket receives a conversation by a membership that is older than the conversation's epoch here: epochs are compared
wherever a membership and a conversation were read apart.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

import msgspec

from accounts.changes import PersonalSettingsChanged, UserChanged
from chatproject.core import metrics
from chatproject.core.background import Background
from chatproject.core.one_per_loop import OnePerLoop
from chatproject.core.realtime import ConversationEvent, HubEvent, UserFrame, user_group
from chatproject.server.close_codes import CloseCode
from messaging.presence.events import AnnouncementFrame, PresenceHint, TypingSignal, UserDisconnected
from messaging.realtime.gap_repair import GAP_GRACE, GapRepair
from messaging.realtime.generation_watch import GenerationWatch
from messaging.realtime.people import Person, Socket
from messaging.realtime.people_loader import PeopleLoader
from messaging.realtime.personal_settings import PersonalSettings
from messaging.realtime.presence import Presence
from messaging.realtime.receipts import ReceiptDelivery
from messaging.realtime.reconciler import Reconciler, Repairs
from messaging.realtime.snapshots import close_pool
from messaging.realtime.subscriptions import Subscription, Subscriptions
from messaging.realtime.typing import TypingIndicators
from messaging.receipts.events import ReceiptsChanged

logger = logging.getLogger(__name__)


class Hub:
    """The people who are connected here and what they are subscribed to, kept true by events and reconciliation."""

    def __init__(self) -> None:
        self._people: dict[UUID, Person] = {}
        self._background = Background()
        self._subscriptions = Subscriptions(self._background, on_revoked=self._on_revoked)
        self._receipts = ReceiptDelivery()
        self._personal_settings = PersonalSettings(self._people, self._background)
        self._generation_watch = GenerationWatch(self._begin_anew)
        self._watching: asyncio.Task[None] | None = None
        self._loader = PeopleLoader(
            self._subscriptions,
            self._personal_settings,
            self._background,
            repair=self._repair,
            is_current=self._generation_watch.receive,
        )
        self._gap_repair = GapRepair(self._subscriptions, self._people, self._background, reload=self._loader.load)
        repairs = Repairs(self._repair, self._loader.load, self._receive)
        self._reconciler = Reconciler(self._subscriptions, self._people, self._receipts, repairs=repairs)
        self.presence = Presence(self._subscriptions, self._background)
        self.typing = TypingIndicators(self._subscriptions, self._background)
        # Every kind of event that servers publish for each other, and what this hub does with it.
        self._handlers: dict[type[HubEvent], Callable[[Any], None]] = {
            ConversationEvent: self._on_conversation_event,
            ReceiptsChanged: self._on_receipts_changed,
            UserChanged: self._on_user_changed,
            PersonalSettingsChanged: self._on_personal_settings_changed,
            UserFrame: self._on_user_frame,
            UserDisconnected: self._on_user_disconnected,
            AnnouncementFrame: self._on_announcement,
            PresenceHint: self.presence.watchers.receive,
            TypingSignal: self.typing.receive,
        }
        self._decode = _decoder(self._handlers)

    # The generation of the database

    def start(self) -> None:
        """Watch the generation from now on; nothing happens if that has begun."""
        if self._watching is None:
            self._watching = self._background.run(self._generation_watch.run())

    @property
    def generation(self) -> int:
        """The generation on which what is delivered here is based."""
        return self._generation_watch.number

    def _begin_anew(self) -> None:
        """Forget all versions and close all sockets: a backup was restored, and what was known may be ahead of it."""
        for person in list(self._people.values()):
            person.stop_loading()
            for socket in list(person.sockets):
                socket.end(CloseCode.RESTART, "unavailable", "A backup was restored. Please come back.")
        self._subscriptions.forget()
        self._receipts.forget()
        self._personal_settings.forget()

    # Sockets come and go

    async def attach(self, socket: Socket) -> None:
        """Deliver everything that its person is a member of to a socket; return when that has begun."""
        if self._subscriptions.open(receive=self._receive, decode=self._decode, on_lost=self._on_lost):
            self._background.run(self._reconciler.run())
        self.start()
        await self._generation_watch.until_known()
        person = self._people.get(socket.user_id)
        if person is None:
            person = self._people[socket.user_id] = Person(socket.user_id)
        person.sockets.add(socket)
        metrics.SOCKETS.inc()
        for id, membership in person.memberships.items():
            if (subscription := self._subscriptions.by_id.get(id)) is not None:
                subscription.sockets[socket] = membership
        self._loader.load(person)
        await person.until_ready()

    def detach(self, socket: Socket) -> None:
        """Forget a socket; a subscription ends with the last socket of a conversation or person."""
        self.typing.forget(socket)
        self.presence.watchers.forget(socket)
        self.presence.leave(socket)
        person = self._people.get(socket.user_id)
        if person is None or socket not in person.sockets:
            return
        person.sockets.discard(socket)
        metrics.SOCKETS.dec()
        for id in person.memberships:
            self._subscriptions.remove_socket(socket, id)
        if not person.sockets:
            del self._people[person.id]
            self._subscriptions.drop_group(user_group(person.id), is_unwanted=lambda: person.id not in self._people)

    def is_member(self, user_id: UUID, conversation_id: UUID) -> bool:
        """Tell whether someone who is connected here is known to be a member of a conversation."""
        person = self._people.get(user_id)
        return person is not None and conversation_id in person.memberships

    async def stop(self) -> None:
        """End everything that runs here: the process stops."""
        await self.presence.stop()
        await self._background.stop()
        await close_pool()

    def open_conversation(self, socket: Socket, id: UUID) -> None:
        """Note that someone views a conversation; Conversation.DoesNotExist for strangers."""
        self._subscriptions.membership_of(socket, id)
        self.presence.open(socket, id)

    def close_conversation(self, socket: Socket, id: UUID) -> None:
        """Note that someone does not view a conversation any more; Conversation.DoesNotExist for strangers."""
        self._subscriptions.membership_of(socket, id)
        self.presence.close(socket, id)

    # Events of all server processes, this one included

    def _receive(self, event: HubEvent) -> None:
        try:
            self._handlers[type(event)](event)
        except Exception:
            logger.exception("an event could not be delivered")

    def _on_conversation_event(self, event: ConversationEvent) -> None:
        subscription = self._subscriptions.by_id.get(event.conversation_id)
        if subscription is not None and not subscription.receive(event):
            # Where only the members have changed there is nothing to wait for.
            self._repair(subscription, after=0 if subscription.has_next else GAP_GRACE)

    def _on_receipts_changed(self, event: ReceiptsChanged) -> None:
        subscription = self._subscriptions.by_id.get(event.conversation_id)
        if subscription is not None:
            self._receipts.deliver(subscription, event, self._people.get)

    def _on_announcement(self, event: AnnouncementFrame) -> None:
        """Deliver an announcement to everyone here, or to the members of one conversation."""
        sockets: Iterable[Socket] = (socket for person in self._people.values() for socket in person.sockets)
        if event.conversation_id is not None:
            subscription = self._subscriptions.by_id.get(event.conversation_id)
            sockets = subscription.sockets if subscription is not None else ()
        for socket in list(sockets):
            socket.deliver(event.frame)

    def _on_user_changed(self, event: UserChanged) -> None:
        person = self._people.get(event.user_id)
        if person is not None and event.version > person.version:
            self._loader.load(person)

    def _on_personal_settings_changed(self, event: PersonalSettingsChanged) -> None:
        """Deliver the settings where this is the only change since the last; load the person again otherwise."""
        person = self._people.get(event.user_id)
        if person is None or event.version <= person.version:
            return
        if person.is_next(event.version):
            person.version = event.version
            self._personal_settings.deliver_soon(person, event.conversation_ids)
        else:
            self._loader.load(person)

    def _on_user_frame(self, event: UserFrame) -> None:
        person = self._people.get(event.user_id)
        if person is not None:
            person.deliver(event.frame)

    def _on_user_disconnected(self, event: UserDisconnected) -> None:
        person = self._people.get(event.user_id)
        for socket in list(person.sockets) if person is not None else ():
            socket.end(CloseCode.SESSION_ENDED, "session_revoked", "The staff has closed this connection.")

    # What the parts of the hub ask of each other

    def _repair(self, subscription: Subscription, *, after: float = 0) -> None:
        self._gap_repair.repair(subscription, after=after)

    def _on_revoked(self, socket: Socket, id: UUID) -> None:
        self.presence.close(socket, id)

    def _on_lost(self) -> None:
        """Something may have been lost on the way."""
        self._reconciler.run_soon()
        self.presence.check_soon()


def _decoder(kinds: Iterable[type[HubEvent]]) -> Callable[[bytes], HubEvent]:
    """Make a decoder for these kinds of events as other servers send them; msgspec.DecodeError for any other."""
    decode: Callable[[bytes], HubEvent] = msgspec.msgpack.Decoder(reduce(or_, kinds)).decode
    return decode


hub = OnePerLoop(Hub)
"""The hub of the running event loop."""
