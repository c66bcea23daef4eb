"""What one server process hears of the layer: its one inbox, and the conversations that someone here is in."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from chatproject.core.background import Background
from chatproject.core.realtime import HubEvent, conversation_group
from conversations.models import Conversation
from messaging.realtime import queries
from messaging.realtime.queries import Membership
from messaging.realtime.tables import Heard, Socket

logger = logging.getLogger(__name__)

SUBSCRIBE_PATIENCE = 1.0


class Following:
    """The conversations that are followed, each subscribed to while someone here listens."""

    def __init__(self, background: Background) -> None:
        self.heard: dict[UUID, Heard] = {}
        self._background = background
        self._inbox: str | None = None
        self._is_alone = False
        """Whether Redis could not be told what we want to hear, which is said once."""

    def open(
        self, *, hear: Callable[[Any], None], decode: Callable[[bytes], HubEvent], on_lost: Callable[[], None]
    ) -> bool:
        """Make the inbox; True the first time. `hear` is given what comes to any group that was added; `on_lost` is
        called whenever messages may have been lost.
        """
        if self._inbox is not None:
            return False
        self._layer = get_channel_layer()._get_layer()
        self._inbox = self._layer.listen(hear, decode=decode)
        self._layer.on_lost = on_lost
        return True

    async def add(self, groups: Iterable[str]) -> bool:
        """Subscribe to some groups; False where Redis can't be told now. The database is there all the same, and the
        audit will ask again.
        """
        try:
            async with asyncio.timeout(SUBSCRIBE_PATIENCE):
                await self._layer.group_add_many(groups, self._inbox)
        except (RedisError, OSError, TimeoutError) as error:
            if not self._is_alone:
                logger.warning("Redis takes no subscriptions: %s", type(error).__name__)
            self._is_alone = True
            return False
        self._is_alone = False
        return True

    def drop(self, group: str, *, is_unwanted: Callable[[], bool]) -> None:
        """Give a group up soon, unless it is wanted again by then."""
        self._background.run(self._discard(group, is_unwanted))

    async def _discard(self, group: str, is_unwanted: Callable[[], bool]) -> None:
        if is_unwanted():
            await self._layer.group_discard(group, self._inbox)

    async def follow(self, ids: Collection[UUID]) -> list[Heard]:
        """Subscribe to conversations and read how far they are; give those that something came for meanwhile."""
        for id in ids:
            self.heard.setdefault(id, Heard(id))
        await self.add(conversation_group(id) for id in ids)
        unread = [id for id in ids if id in self.heard and self.heard[id].version < 0]
        behind = []
        for id, version, epoch in await queries.versions(unread) if unread else ():
            heard = self.heard.get(id)
            if heard is not None and heard.version < 0:
                heard.begin(version, epoch)
                behind += [heard] if heard.held else []
        return behind

    def follows(self, heard: Heard) -> bool:
        """Tell whether this is what is heard of its conversation now."""
        return self.heard.get(heard.id) is heard

    def place_of(self, socket: Socket, id: UUID) -> Membership:
        """Give the place by which a socket hears a conversation; Conversation.DoesNotExist if it does not."""
        heard = self.heard.get(id)
        if heard is None or socket not in heard.listeners:
            raise Conversation.DoesNotExist
        return heard.listeners[socket]

    def stop_listening(self, socket: Socket, id: UUID) -> None:
        """Take a socket out of a conversation; the last one takes the subscription with it."""
        heard = self.heard.get(id)
        if heard is not None:
            heard.listeners.pop(socket, None)
            self.let_go(heard)

    def let_go(self, heard: Heard) -> None:
        """Follow a conversation no more if nobody here listens."""
        if not heard.listeners and self.follows(heard):
            del self.heard[heard.id]
            self.drop(conversation_group(heard.id), is_unwanted=lambda: heard.id not in self.heard)
