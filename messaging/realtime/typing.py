"""Who is typing where, as the sockets of this server process say and hear it. Nothing of it is written down.

A hub that hears of a start ends it by itself when nothing more comes, so that no lost word and no killed server lets
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
from messaging.realtime.subscriptions import Following
from messaging.realtime.tables import Heard, Socket

SAID_AGAIN = 3.0
"""Seconds within which one socket says of one conversation only once that someone types there."""
SILENCE = 6.0
TOLD_AGAIN = 10.0
"""Seconds after which those who listen are told once more, so that a client may forget what it was told long ago."""


Key = tuple[UUID, UUID]
"""A conversation, and someone in it."""


class Typing(NamedTuple):
    """Someone types in a conversation, as it is heard here."""

    heard: Heard
    told_at: float
    end: asyncio.TimerHandle


class Typists:
    """What is said by the sockets here, and what is heard for them."""

    def __init__(self, following: Following, background: Background) -> None:
        self._following = following
        self._background = background
        self._said_at: dict[Socket, dict[UUID, float]] = {}
        self._typing: dict[Key, Typing] = {}

    # What is said here

    def start(self, socket: Socket, conversation_id: UUID) -> None:
        """Let the others know that someone types; DoesNotExist for strangers, Blocked for who may not write."""
        place = self._following.place_of(socket, conversation_id)
        if place.barred:
            raise Blocked("You can't write to this person.")
        said_at, now = self._said_at.setdefault(socket, {}), time.monotonic()
        if now - said_at.get(conversation_id, -SAID_AGAIN) >= SAID_AGAIN:
            said_at[conversation_id] = now
            self._say(socket, conversation_id, starts=True)

    def stop(self, socket: Socket, conversation_id: UUID) -> None:
        """Let the others know that someone types no more; DoesNotExist for strangers."""
        self._following.place_of(socket, conversation_id)
        self.end(socket, conversation_id)

    def end(self, socket: Socket, conversation_id: UUID) -> None:
        """Say that someone types no more, if that they do was said."""
        said_at = self._said_at.get(socket)
        if said_at is not None and said_at.pop(conversation_id, None) is not None:
            self._say(socket, conversation_id, starts=False)

    def forget(self, socket: Socket) -> None:
        """A socket has gone."""
        for conversation_id in list(self._said_at.get(socket, ())):
            self.end(socket, conversation_id)
        self._said_at.pop(socket, None)

    def _say(self, socket: Socket, conversation_id: UUID, *, starts: bool) -> None:
        heard = self._following.heard.get(conversation_id)
        if heard is not None:
            signal = TypingSignal(conversation_id, socket.user_id, heard.epoch, starts)
            self._background.run(publish_soon([signal]))

    # What is heard here

    def hear(self, signal: TypingSignal) -> None:
        """Tell those who listen here that someone types, or no more."""
        heard = self._following.heard.get(signal.conversation_id)
        if heard is None:
            return
        if signal.starts:
            self._begin(heard, signal.user_id, epoch=signal.epoch)
        else:
            self._stop((heard.id, signal.user_id))

    def _begin(self, heard: Heard, user_id: UUID, *, epoch: int) -> None:
        key, now = (heard.id, user_id), time.monotonic()
        told_at = self._told_at(key, heard)
        if told_at is None or now - told_at >= TOLD_AGAIN:
            heard.mention(_event(key, "start"), epoch=epoch, but=user_id)
            told_at = now
        end = asyncio.get_running_loop().call_later(SILENCE, self._stop, key)
        self._typing[key] = Typing(heard, told_at, end)

    def _told_at(self, key: Key, heard: Heard) -> float | None:
        """Forget that someone types, and give when it was told; None if it was not, or to nobody who listens now."""
        known = self._typing.pop(key, None)
        if known is None:
            return None
        known.end.cancel()
        return known.told_at if known.heard is heard else None

    def _stop(self, key: Key) -> None:
        known = self._typing.pop(key, None)
        if known is not None:
            known.end.cancel()
            known.heard.mention(_event(key, "stop"), epoch=known.heard.epoch, but=key[1])


def _event(key: Key, state: str) -> bytes:
    conversation_id, user_id = key
    return TypingChanged(str(conversation_id), str(user_id), state).frame()
