"""The conversations that one server process is subscribed to, and the delivery of their events in order."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from chatproject.core.background import Background
from chatproject.core.realtime import ConversationEvent, HubEvent, conversation_group
from conversations.models import Conversation
from messaging.realtime.missed_changes import ConversationState, something_changed
from messaging.realtime.people import Membership, Person, Socket
from messaging.realtime.queries import load_versions

logger = logging.getLogger(__name__)

SUBSCRIBE_TIMEOUT = 1.0


class Subscription:
    """A conversation that members here are connected to: its version, and the sockets that receive its events."""

    __slots__ = ("epoch", "expected", "id", "pending", "repairing", "sockets", "version")

    def __init__(self, id: UUID) -> None:
        self.id = id
        self.version = -1
        """-1 until it has been loaded for the first time; events that arrive before that are pending."""
        self.epoch = -1
        self.expected = -1
        """The version that the database is known to have reached."""
        self.sockets: dict[Socket, Membership] = {}
        self.pending: dict[int, ConversationEvent] = {}
        self.repairing: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Tell whether something is known to be missing."""
        return bool(self.pending) or self.expected > self.version

    @property
    def has_next(self) -> bool:
        """Tell whether the next event has arrived, and only needs the memberships of its epoch."""
        return self.version + 1 in self.pending

    def receive(self, event: ConversationEvent) -> bool:
        """Deliver an event that follows the last, and the pending ones after it; False if something is missing."""
        if event.version > self.version:
            self.pending[event.version] = event
        while (following := self.pending.get(self.version + 1)) and following.epoch == self.epoch:
            del self.pending[self.version + 1]
            self._deliver(self.version + 1, following.frame, since=following.since)
        return not self.pending

    def start_at(self, version: int, epoch: int) -> None:
        """Continue after a version that has been loaded; members know what came before it."""
        self.version, self.epoch = version, epoch
        self._drop_pending_until(version)

    def catch_up(self, state: ConversationState) -> None:
        """Deliver what has been loaded, as far as it was not received meanwhile."""
        self.epoch = state.epoch
        for version, since, frame, readers in state.changes:
            if version > self.version:
                self._deliver(version, frame, since=since, readers=readers)
        self.version = max(self.version, state.version)
        self.expected = min(self.expected, self.version)
        self._drop_pending_until(self.version)

    def drop_pending(self, versions: Iterable[int]) -> None:
        """Drop events that do not follow anything."""
        for version in versions:
            self.pending.pop(version, None)

    def deliver_if_idle(self, frame: bytes, *, epoch: int, but: UUID) -> None:
        """Deliver a frame that may be dropped to all members but one person and those who may not write to them.

        Where the membership was another when it was published, nobody receives it.
        """
        if epoch == self.epoch:
            for socket, membership in list(self.sockets.items()):
                if socket.user_id != but and not membership.barred:
                    socket.deliver_if_idle(frame)

    def _deliver(
        self, version: int, frame: bytes, *, since: int | None = None, readers: frozenset[UUID] | None = None
    ) -> None:
        """Deliver a frame to everyone who may receive what happened at this version.

        It may be about an older message, at the position `since`, or one for some `readers` (`Change`): members who do
        not see that message only learn that something has changed.
        """
        self.version = version
        since = version if since is None else since
        unseen = b""
        if since < version or readers is not None:
            unseen = something_changed(self.id, version, self.epoch)
        # A socket that is too slow is removed while it is delivered to.
        for socket, membership in list(self.sockets.items()):
            if membership.receives_from < version:
                sees = (
                    membership.visible_from < since
                    if readers is None
                    else membership.sees(socket.user_id, since, readers)
                )
                socket.deliver(frame if sees else unseen)

    def _drop_pending_until(self, version: int) -> None:
        self.pending = {n: event for n, event in self.pending.items() if n > version}


class Subscriptions:
    """All subscriptions of one server process, each kept while a member has a socket here; and its groups in Redis."""

    def __init__(self, background: Background, *, on_revoked: Callable[[Socket, UUID], None]) -> None:
        self.by_id: dict[UUID, Subscription] = {}
        self._background = background
        self._on_revoked = on_revoked
        self._channel: str | None = None
        self._forgotten = 0
        """How often everything was forgotten."""
        self._is_refused = False
        """Whether Redis takes no subscriptions, which is logged once."""

    # Groups

    def open(
        self, *, receive: Callable[[Any], None], decode: Callable[[bytes], HubEvent], on_lost: Callable[[], None]
    ) -> bool:
        """Open the channel of this process; True the first time.

        `receive` is called with every event of a subscribed group; `on_lost` whenever events may have been lost.
        """
        if self._channel is not None:
            return False
        self._layer = get_channel_layer()._get_layer()
        self._channel = self._layer.listen(receive, decode=decode)
        self._layer.on_lost = on_lost
        return True

    async def add_groups(self, groups: Iterable[str]) -> bool:
        """Subscribe to some groups; False while Redis is unreachable: reconciliation works without, and tries again."""
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
                await self._layer.group_add_many(groups, self._channel)
        except (RedisError, OSError, TimeoutError) as error:
            if not self._is_refused:
                logger.warning("Redis takes no subscriptions: %s", type(error).__name__)
            self._is_refused = True
            return False
        self._is_refused = False
        return True

    def drop_group(self, group: str, *, is_unwanted: Callable[[], bool]) -> None:
        """Unsubscribe from a group soon, unless it is wanted again by then."""
        self._background.run(self._discard(group, is_unwanted))

    async def _discard(self, group: str, is_unwanted: Callable[[], bool]) -> None:
        if is_unwanted():
            await self._layer.group_discard(group, self._channel)

    # Conversations

    async def add(self, ids: Collection[UUID]) -> list[Subscription]:
        """Subscribe to conversations and load their versions; return those that have received events meanwhile."""
        for id in ids:
            self.by_id.setdefault(id, Subscription(id))
        await self.add_groups(conversation_group(id) for id in ids)
        unloaded = [id for id in ids if id in self.by_id and self.by_id[id].version < 0]
        behind, forgotten = [], self._forgotten
        for id, version, epoch in await load_versions(unloaded) if unloaded else ():
            subscription = self.by_id.get(id) if forgotten == self._forgotten else None
            if subscription is not None and subscription.version < 0:
                subscription.start_at(version, epoch)
                behind += [subscription] if subscription.pending else []
        return behind

    def is_current(self, subscription: Subscription) -> bool:
        """Tell whether this is still the subscription to its conversation."""
        return self.by_id.get(subscription.id) is subscription

    def drop_if_unused(self, subscription: Subscription) -> None:
        """Unsubscribe from a conversation if no member has a socket here."""
        if not subscription.sockets and self.is_current(subscription):
            del self.by_id[subscription.id]
            self.drop_group(conversation_group(subscription.id), is_unwanted=lambda: subscription.id not in self.by_id)

    def forget(self) -> None:
        """End all subscriptions, and what is being loaded for them: their versions may have been turned back."""
        self._forgotten += 1
        for subscription in list(self.by_id.values()):
            if subscription.repairing is not None:
                subscription.repairing.cancel()
            subscription.sockets.clear()
            self.drop_if_unused(subscription)

    # Members

    def membership_of(self, socket: Socket, id: UUID) -> Membership:
        """Return the membership with which a socket receives a conversation; Conversation.DoesNotExist without one."""
        subscription = self.by_id.get(id)
        if subscription is None or socket not in subscription.sockets:
            raise Conversation.DoesNotExist
        return subscription.sockets[socket]

    def grant(self, person: Person, subscription: Subscription, membership: Membership) -> None:
        """Deliver a conversation to all sockets of a person from now on, as this membership allows."""
        person.memberships[subscription.id] = membership
        person.revoked.discard(subscription.id)
        for socket in person.sockets:
            subscription.sockets[socket] = membership

    def revoke(self, person: Person, id: UUID) -> None:
        """Deliver nothing more of a conversation to a person; their removal is announced later."""
        del person.memberships[id]
        person.revoked.add(id)
        for socket in person.sockets:
            self.remove_socket(socket, id)
            self._on_revoked(socket, id)

    def remove_socket(self, socket: Socket, id: UUID) -> None:
        """Remove a socket from a conversation; the subscription ends with its last socket."""
        subscription = self.by_id.get(id)
        if subscription is not None:
            subscription.sockets.pop(socket, None)
            self.drop_if_unused(subscription)
