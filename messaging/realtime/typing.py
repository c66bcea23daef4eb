"""Typing indicators: who is typing where, as the sockets of this server process send and receive it. Nothing is stored.

A hub that receives a start ends it by itself when nothing more comes, so that no lost event and no killed server lets
someone type for ever.
"""

import asyncio
import time
from typing import NamedTuple
from uuid import UUID

from chatproject.core.background import Background
from chatproject.core.errors import Blocked
from chatproject.core.realtime import publish_soon
from messaging.presence.events import TypingChanged, TypingSignal
from messaging.realtime.people import Socket
from messaging.realtime.subscriptions import Subscription, Subscriptions

PUBLISH_AGAIN = 3.0
"""Seconds within which one socket publishes only once that someone types in a conversation."""
EXPIRES_AFTER = 6.0
"""Seconds without a signal after which someone counts as typing no more."""
DELIVER_AGAIN = 10.0
"""Seconds after which members receive a lasting start once more, so that a client may let old ones expire."""


Key = tuple[UUID, UUID]
"""A conversation, and someone in it."""


class Typing(NamedTuple):
    """Someone types in a conversation, as members here were told."""

    subscription: Subscription
    delivered_at: float
    expiry: asyncio.TimerHandle


class TypingIndicators:
    """What the sockets here have published, and what was delivered to them."""

    def __init__(self, subscriptions: Subscriptions, background: Background) -> None:
        self._subscriptions = subscriptions
        self._background = background
        self._published_at: dict[Socket, dict[UUID, float]] = {}
        self._typing: dict[Key, Typing] = {}

    # Sending

    def start(self, socket: Socket, conversation_id: UUID) -> None:
        """Publish that someone types; Conversation.DoesNotExist for strangers, Blocked for those who may not write."""
        if self._subscriptions.membership_of(socket, conversation_id).barred:
            raise Blocked("You can't write to this person.")
        published_at, now = self._published_at.setdefault(socket, {}), time.monotonic()
        if now - published_at.get(conversation_id, -PUBLISH_AGAIN) >= PUBLISH_AGAIN:
            published_at[conversation_id] = now
            self._publish(socket, conversation_id, starts=True)

    def stop(self, socket: Socket, conversation_id: UUID) -> None:
        """Publish that someone types no more; Conversation.DoesNotExist for strangers."""
        self._subscriptions.membership_of(socket, conversation_id)
        self.end(socket, conversation_id)

    def end(self, socket: Socket, conversation_id: UUID) -> None:
        """Publish that someone types no more, if their start was published."""
        published_at = self._published_at.get(socket)
        if published_at is not None and published_at.pop(conversation_id, None) is not None:
            self._publish(socket, conversation_id, starts=False)

    def forget(self, socket: Socket) -> None:
        """End everything that a socket has published: it has gone."""
        for conversation_id in list(self._published_at.get(socket, ())):
            self.end(socket, conversation_id)
        self._published_at.pop(socket, None)

    def _publish(self, socket: Socket, conversation_id: UUID, *, starts: bool) -> None:
        subscription = self._subscriptions.by_id.get(conversation_id)
        if subscription is not None:
            signal = TypingSignal(conversation_id, socket.user_id, subscription.epoch, starts)
            self._background.run(publish_soon([signal]))

    # Receiving

    def receive(self, signal: TypingSignal) -> None:
        """Deliver to the members here that someone starts or stops typing."""
        subscription = self._subscriptions.by_id.get(signal.conversation_id)
        if subscription is None:
            return
        if signal.starts:
            self._start(subscription, signal.user_id, epoch=signal.epoch)
        else:
            self._stop((subscription.id, signal.user_id))

    def _start(self, subscription: Subscription, user_id: UUID, *, epoch: int) -> None:
        key, now = (subscription.id, user_id), time.monotonic()
        delivered_at = self._last_delivery(key, subscription)
        if delivered_at is None or now - delivered_at >= DELIVER_AGAIN:
            subscription.deliver_if_idle(_frame(key, "start"), epoch=epoch, but=user_id)
            delivered_at = now
        expiry = asyncio.get_running_loop().call_later(EXPIRES_AFTER, self._stop, key)
        self._typing[key] = Typing(subscription, delivered_at, expiry)

    def _last_delivery(self, key: Key, subscription: Subscription) -> float | None:
        """Forget that someone types, and return when it was delivered; None if never, or to an earlier subscription."""
        known = self._typing.pop(key, None)
        if known is None:
            return None
        known.expiry.cancel()
        return known.delivered_at if known.subscription is subscription else None

    def _stop(self, key: Key) -> None:
        known = self._typing.pop(key, None)
        if known is not None:
            known.expiry.cancel()
            known.subscription.deliver_if_idle(_frame(key, "stop"), epoch=known.subscription.epoch, but=key[1])


def _frame(key: Key, state: str) -> bytes:
    conversation_id, user_id = key
    return TypingChanged(str(conversation_id), str(user_id), state).frame()
