"""Loading people: what someone is a member of, applied to their sockets whenever something of it has changed."""

import asyncio
import logging
from collections.abc import Callable, Collection
from uuid import UUID

from chatproject.core.background import Background
from chatproject.core.realtime import EVERYONE, user_group
from chatproject.server.close_codes import CloseCode
from conversations.events import ConversationRemoved
from conversations.models import Departure
from messaging.realtime.introductions import introduce
from messaging.realtime.people import Membership, Person, Socket
from messaging.realtime.personal_settings import PersonalSettings
from messaging.realtime.queries import PersonState, load_person
from messaging.realtime.subscriptions import Subscription, Subscriptions

logger = logging.getLogger(__name__)

PAUSE = 0.5


class PeopleLoader:
    """Loads people and applies what is new: sessions, removals, rights, new conversations, personal settings."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        personal_settings: PersonalSettings,
        background: Background,
        *,
        repair: Callable[[Subscription], None],
        is_current: Callable[[int], bool],
    ) -> None:
        self._subscriptions = subscriptions
        self._personal_settings = personal_settings
        self._background = background
        self._repair = repair
        self._is_current = is_current

    def load(self, person: Person) -> None:
        """Load a person again, and once more if something happens meanwhile."""
        person.is_stale = True
        if person.loading is None or person.loading.done():
            person.loading = self._background.run(self._load_until_fresh(person))

    async def _load_until_fresh(self, person: Person) -> None:
        while person.is_stale and person.sockets:
            person.is_stale = False
            try:
                await self._load(person)
            except Exception:
                logger.exception("the conversations of a person could not be loaded")
                person.is_stale = True
                await asyncio.sleep(PAUSE)

    async def _load(self, person: Person) -> None:
        """Subscribe, then read, then apply what is newer."""
        await self._subscriptions.add_groups([EVERYONE, user_group(person.id)])
        # A socket that connects after this may have a session that is younger than what is read.
        sockets = list(person.sockets)
        known = person.memberships.keys() | person.revoked
        state = await load_person(person.id, after=person.version, known=known)
        # A session that a restored backup does not have has not ended: that would make devices forget what is unsent.
        if not self._is_current(state.generation):
            return
        _close_ended_sessions(person.sockets.intersection(sockets), state)
        self._apply_removals(person, state)
        self._apply_rights(person, state)
        kept = set(person.memberships)
        await self._apply_new_memberships(person, state)
        if person.is_ready:
            self._personal_settings.deliver_soon(person, kept.intersection(state.changed_settings))
        person.version, person.sees_receipts = state.version, state.sees_receipts
        person.set_ready()

    def _apply_removals(self, person: Person, state: PersonState) -> None:
        """Stop delivering the conversations that a person has left, and announce why."""
        for id, membership in list(person.memberships.items()):
            now = state.memberships.get(id)
            if now is None or now.joined_version != membership.joined_version:
                self._subscriptions.revoke(person, id)
        for id in person.revoked - state.memberships.keys():
            person.revoked.discard(id)
            reason = state.departures.get(id, Departure.Reason.REMOVED.value)
            person.deliver(ConversationRemoved(str(id), reason).frame())

    def _apply_rights(self, person: Person, state: PersonState) -> None:
        """Update who may not write where, which no other event announces."""
        for id, membership in person.memberships.items():
            barred = state.memberships[id].barred
            if membership.barred != barred and (subscription := self._subscriptions.by_id.get(id)) is not None:
                self._subscriptions.grant(person, subscription, membership._replace(barred=barred))

    async def _apply_new_memberships(self, person: Person, state: PersonState) -> None:
        new = {id: membership for id, membership in state.memberships.items() if id not in person.memberships}
        for subscription in await self._subscriptions.add(new.keys()):
            self._repair(subscription)
        for id, membership in new.items():
            await self._start_delivery(person, id, membership)

    async def _start_delivery(self, person: Person, id: UUID, membership: Membership) -> None:
        """Deliver a conversation to a person's sockets; introduce it first to those that were connected before."""
        introduced: int | None = membership.receives_from
        if person.is_ready and person.sockets:
            introduced = await introduce(person, id, self._subscriptions)
        subscription = self._subscriptions.by_id.get(id)
        if introduced is None or subscription is None or membership.epoch < subscription.epoch:
            # The members have changed since this was read, or the last socket has gone while we subscribed.
            person.is_stale = True
        elif person.sockets:
            membership = membership.received_until(introduced)
            self._subscriptions.grant(person, subscription, membership)
        if subscription is not None:
            self._subscriptions.drop_if_unused(subscription)


def _close_ended_sessions(sockets: Collection[Socket], state: PersonState) -> None:
    """Close the sockets whose session has ended, and all of them if the person is suspended."""
    for socket in sockets:
        if state.is_suspended:
            socket.end(CloseCode.SUSPENDED, "suspended", "This account is suspended.")
        elif socket.session_id not in state.sessions:
            socket.end(CloseCode.SESSION_ENDED, "session_revoked", "This session has ended.")
