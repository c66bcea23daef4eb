"""Repairing gaps: what is missing of a conversation is loaded once for all sockets of this server process."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from uuid import UUID

import psycopg

from chatproject.core import metrics
from chatproject.core.background import Background
from messaging.realtime.missed_changes import ConversationState, load_changes
from messaging.realtime.people import Person
from messaging.realtime.subscriptions import Subscription, Subscriptions

logger = logging.getLogger(__name__)

GAP_GRACE = 0.03
"""Seconds for which an event that is missing may still be on its way."""
REPAIR_TIMEOUT = 3.0
"""Seconds after which the database is asked again: its answer may have been lost without an error."""
REPAIR_PAUSE = 0.5


class GapRepair:
    """Loads the missing changes of subscriptions, one reader for each at a time."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        people: Mapping[UUID, Person],
        background: Background,
        *,
        reload: Callable[[Person], None],
    ) -> None:
        self._subscriptions = subscriptions
        self._people = people
        self._background = background
        self._reload = reload

    def repair(self, subscription: Subscription, *, after: float = 0) -> None:
        """Load what is missing of a conversation in so many seconds, unless it has arrived by then."""
        if subscription.repairing is None or subscription.repairing.done():
            subscription.repairing = self._background.run(self._repair(subscription, after))

    async def _repair(self, subscription: Subscription, after: float) -> None:
        await asyncio.sleep(after)
        while subscription.version >= 0 and self._subscriptions.is_current(subscription) and subscription.is_behind:
            is_gap = not subscription.has_next
            try:
                await self._load_missing(subscription)
            except (psycopg.Error, OSError, TimeoutError) as error:
                logger.warning("missing changes could not be loaded, trying again: %s", type(error).__name__)
                await asyncio.sleep(REPAIR_PAUSE)
                continue
            if is_gap:
                metrics.GAPS.inc()
            if subscription.is_behind:
                await asyncio.sleep(GAP_GRACE)

    async def _load_missing(self, subscription: Subscription) -> None:
        is_complete = False
        while not is_complete:
            received = list(subscription.pending)
            people = {socket.user_id for socket in subscription.sockets}
            async with asyncio.timeout(REPAIR_TIMEOUT):
                state = await load_changes(subscription.id, after=subscription.version, people=people)
            # Someone who connected meanwhile may have been loaded as a member before, and be removed now.
            is_complete = all(
                socket.user_id in people or state is None or membership.epoch >= state.epoch
                for socket, membership in subscription.sockets.items()
            )
        for user_id in people:
            self._check_membership(subscription, user_id, state)
        self._subscriptions.drop_if_unused(subscription)
        if state is not None:
            subscription.catch_up(state)
            # Events are published after their commit: what the database has not reached was said before a restore.
            subscription.drop_pending(version for version in received if version > state.version)

    def _check_membership(self, subscription: Subscription, user_id: UUID, state: ConversationState | None) -> None:
        """Keep delivering to a person if the membership is unchanged; otherwise unsubscribe and reload them.

        Reloading tells a removal from a rejoin, and announces either.
        """
        person = self._people.get(user_id)
        if person is None or subscription.id not in person.memberships:
            return
        known, membership = person.memberships[subscription.id], state.memberships.get(user_id) if state else None
        if state is not None and known.epoch > state.epoch:
            return
        if membership is not None and membership.joined_version == known.joined_version:
            self._subscriptions.grant(person, subscription, membership.received_until(known.receives_from))
        else:
            self._subscriptions.revoke(person, subscription.id)
            self._reload(person)
