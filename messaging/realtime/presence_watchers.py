"""Who watches whose presence on this server process, and what they last received.

That someone came or went is published as a hint: query this person. What watchers receive is what the registry says
then, if they may still see it. So a hint that is lost, doubled or late does no harm: everyone who is watched is queried
again and again, and what differs from the last delivery is delivered.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatproject.core.background import Background
from chatproject.core.errors import Unavailable
from conversations.last_seen_privacy import Pair
from messaging.presence.events import PresenceChanged, PresenceHint, presence_group, presence_json
from messaging.presence.queries import find_soon
from messaging.presence.socket_registry import REDIS_ERRORS
from messaging.realtime import queries
from messaging.realtime.people import Socket
from messaging.realtime.subscriptions import Subscriptions

logger = logging.getLogger(__name__)

QUERY_EVERY = 20.0
GRACE = 5.0
"""Seconds without a socket after which someone counts as gone: people change pages, and networks."""
BATCHING_SECONDS = 0.05
SUBSCRIBED_AFTER = 1.0
"""Seconds after which a subscription has surely taken effect."""
YOUNG = 5.0
"""Seconds in which the registry may not be complete after Redis has lost it."""
CHUNK = 500


@dataclass(frozen=True, slots=True)
class VisiblePresence:
    """What someone may see of people: who is online, and when the others were."""

    online: set[UUID]
    last_seen: dict[UUID, datetime | None]

    def data(self) -> dict[str, Any]:
        """As the contract shows it."""
        shown = {
            str(id): presence_json(online=id in self.online, last_seen=moment) for id, moment in self.last_seen.items()
        }
        return {
            "online": [id for id, each in shown.items() if each["online"]],
            "last_seen": {id: each["last_seen"] for id, each in shown.items()},
        }


class PresenceWatchers:
    """The people who are watched here, each with the sockets that watch them.

    For each socket it is known whether it last received that the person is online.
    """

    def __init__(self, subscriptions: Subscriptions, background: Background) -> None:
        self._subscriptions = subscriptions
        self._background = background
        self._watchers: dict[UUID, dict[Socket, bool]] = {}
        self._watched_by: dict[Socket, set[UUID]] = {}
        self._gone_since: dict[UUID, float] = {}
        self._to_query: set[UUID] = set()
        self._querying: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None

    async def watch(self, socket: Socket, ids: Collection[UUID]) -> VisiblePresence:
        """Deliver the presence of these people to a socket from now on, as far as it may see them, and of no others."""
        # A socket that disconnects while this is loading must be found here, to be removed.
        self.forget(socket)
        self._watched_by[socket] = set()
        visible = await self._load_visible(socket.user_id, ids)
        await self._subscriptions.add_groups(presence_group(id) for id in visible)
        try:
            online, _ = await self._find_online(visible)
        except REDIS_ERRORS as error:
            raise Unavailable("We can't tell who is online just now. Please try again.") from error
        if socket in self._watched_by:
            self._add(socket, visible, online)
        return VisiblePresence(online, visible)

    async def _load_visible(self, viewer: UUID, ids: Collection[UUID]) -> dict[UUID, datetime | None]:
        visible = await queries.load_last_seen([(viewer, id) for id in dict.fromkeys(ids)]) if ids else {}
        return {id: moment for (_, id), moment in visible.items()}

    def _add(self, socket: Socket, ids: Iterable[UUID], online: set[UUID]) -> None:
        if self._polling is None:
            self._polling = self._background.run(self._poll())
        for id in ids:
            self._watchers.setdefault(id, {})[socket] = id in online
            self._watched_by[socket].add(id)
        # Hints from before the subscription took effect were not received.
        asyncio.get_running_loop().call_later(SUBSCRIBED_AFTER, self._query_soon, list(ids))

    def forget(self, socket: Socket) -> None:
        """Let a socket watch nobody any more."""
        for id in self._watched_by.pop(socket, ()):
            self._drop(socket, id)

    def _drop(self, socket: Socket, id: UUID) -> None:
        watchers = self._watchers[id]
        del watchers[socket]
        if not watchers:
            del self._watchers[id]
            self._gone_since.pop(id, None)
            self._subscriptions.drop_group(presence_group(id), is_unwanted=lambda: id not in self._watchers)

    # Querying the registry

    def receive(self, hint: PresenceHint) -> None:
        """Query someone who may have come or gone."""
        self._query_soon([hint.user_id])

    def query_all(self) -> None:
        """Query everyone who is watched here."""
        self._query_soon(self._watchers)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(QUERY_EVERY)
            # Subscriptions that Redis did not take before are tried again.
            await self._subscriptions.add_groups(presence_group(id) for id in self._watchers)
            self.query_all()

    def _query_soon(self, ids: Iterable[UUID]) -> None:
        self._to_query.update(ids)
        if self._to_query and (self._querying is None or self._querying.done()):
            self._querying = self._background.run(self._query_batches())

    async def _query_batches(self) -> None:
        while self._to_query:
            await asyncio.sleep(BATCHING_SECONDS)
            wanted = sorted(self._to_query & self._watchers.keys())
            self._to_query.clear()
            for first in range(0, len(wanted), CHUNK):
                await self._query(wanted[first : first + CHUNK])

    async def _query(self, ids: Collection[UUID]) -> None:
        try:
            online, is_complete = await self._find_online(ids)
        except REDIS_ERRORS:
            # The registry logs it. The next query comes by itself.
            return
        states = {id: state for id in ids if (state := self._judge(id, id in online, is_complete)) is not None}
        changed = [
            (socket, id)
            for id, is_online in states.items()
            for socket, was_online in self._watchers.get(id, {}).items()
            if was_online != is_online
        ]
        if changed:
            await self._deliver(changed, states)

    def _judge(self, id: UUID, is_online: bool, is_complete: bool) -> bool | None:
        """Tell whether someone is online; None where that is not certain yet, and queried again."""
        if is_online:
            self._gone_since.pop(id, None)
            return True
        since = self._gone_since.setdefault(id, time.monotonic())
        remaining = since + GRACE - time.monotonic()
        if is_complete and remaining <= 0:
            return False
        asyncio.get_running_loop().call_later(max(remaining, 0.5), self._query_soon, [id])
        return None

    async def _find_online(self, ids: Collection[UUID]) -> tuple[set[UUID], bool]:
        """Find who has a socket anywhere, and tell whether the registry is complete, so that the others have none."""
        known = list(ids)
        found = await find_soon("sockets", [id.hex for id in known], most=1)
        return {id for id, there in zip(known, found.members, strict=True) if there}, found.age >= YOUNG

    async def _deliver(self, changed: Collection[tuple[Socket, UUID]], states: Mapping[UUID, bool]) -> None:
        """Deliver presence to watchers who have not received it; those who may not see someone stop watching them."""
        pairs: set[Pair] = {(socket.user_id, id) for socket, id in changed}
        visible = await queries.load_last_seen(pairs)
        for socket, id in changed:
            if socket not in self._watchers.get(id, ()):
                continue
            if (pair := (socket.user_id, id)) not in visible:
                self._watched_by[socket].discard(id)
                self._drop(socket, id)
            elif socket.deliver_if_idle(PresenceChanged.of(id, online=states[id], last_seen=visible[pair]).frame()):
                self._watchers[id][socket] = states[id]
