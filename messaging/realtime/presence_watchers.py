"""Who watches whom on this server process, and what they were last told.

That someone came or went travels as a hint: look at this person. What watchers hear is what the registry says then, if
they may still see it. So a hint that is lost, doubled or late does no harm: all who are watched are looked at again and
again, and what differs from what was told is told.
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
from conversations.presence_privacy import Pair
from messaging.presence.events import PresenceChanged, PresenceHint, presence_group, presence_json
from messaging.presence.queries import find_soon
from messaging.presence.registry import REDIS_ERRORS
from messaging.realtime import queries
from messaging.realtime.subscriptions import Following
from messaging.realtime.tables import Socket

logger = logging.getLogger(__name__)

LOOK_EVERY = 20.0
GRACE = 5.0
"""Seconds without a socket after which someone counts as gone: people change pages, and networks."""
GATHER = 0.05
SETTLED = 1.0
"""Seconds after which a subscription has surely taken effect."""
YOUNG = 5.0
"""Seconds in which the registry may not be complete after Redis has lost it."""
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """What someone may see of people: who is here, and when the others were."""

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


class Watching:
    """The people who are watched here, each with the sockets that watch, and whether those were told that they are
    online.
    """

    def __init__(self, following: Following, background: Background) -> None:
        self._following = following
        self._background = background
        self._watchers: dict[UUID, dict[Socket, bool]] = {}
        self._watched_by: dict[Socket, set[UUID]] = {}
        self._gone_since: dict[UUID, float] = {}
        self._to_look: set[UUID] = set()
        self._looking: asyncio.Task[None] | None = None
        self._looking_at_all: asyncio.Task[None] | None = None

    async def watch(self, socket: Socket, ids: Collection[UUID]) -> Seen:
        """Let a socket hear of these people from now on, as far as it may see them, and of no others."""
        # Someone who goes while this is read must find the socket here, to take it out.
        self.forget(socket)
        self._watched_by[socket] = set()
        visible = await self._visible(socket.user_id, ids)
        await self._following.add(presence_group(id) for id in visible)
        try:
            online, _ = await self._online(visible)
        except REDIS_ERRORS as error:
            raise Unavailable("We can't tell who is online just now. Please try again.") from error
        if socket in self._watched_by:
            self._add(socket, visible, online)
        return Seen(online, visible)

    async def _visible(self, viewer: UUID, ids: Collection[UUID]) -> dict[UUID, datetime | None]:
        seen = await queries.sight([(viewer, id) for id in dict.fromkeys(ids)]) if ids else {}
        return {id: moment for (_, id), moment in seen.items()}

    def _add(self, socket: Socket, ids: Iterable[UUID], online: set[UUID]) -> None:
        if self._looking_at_all is None:
            self._looking_at_all = self._background.run(self._keep_looking())
        for id in ids:
            self._watchers.setdefault(id, {})[socket] = id in online
            self._watched_by[socket].add(id)
        # What happened before the subscription took effect was not heard.
        asyncio.get_running_loop().call_later(SETTLED, self._look_soon, list(ids))

    def forget(self, socket: Socket) -> None:
        """Let a socket hear of nobody any more."""
        for id in self._watched_by.pop(socket, ()):
            self._drop(socket, id)

    def _drop(self, socket: Socket, id: UUID) -> None:
        watchers = self._watchers[id]
        del watchers[socket]
        if not watchers:
            del self._watchers[id]
            self._gone_since.pop(id, None)
            self._following.drop(presence_group(id), is_unwanted=lambda: id not in self._watchers)

    # Looking

    def hear(self, hint: PresenceHint) -> None:
        """Look at someone who may have come or gone."""
        self._look_soon([hint.user_id])

    def look_at_all(self) -> None:
        """Look at everyone who is watched here."""
        self._look_soon(self._watchers)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            # What Redis could not be told before, it is told now.
            await self._following.add(presence_group(id) for id in self._watchers)
            self.look_at_all()

    def _look_soon(self, ids: Iterable[UUID]) -> None:
        self._to_look.update(ids)
        if self._to_look and (self._looking is None or self._looking.done()):
            self._looking = self._background.run(self._look_gathered())

    async def _look_gathered(self) -> None:
        while self._to_look:
            await asyncio.sleep(GATHER)
            wanted = sorted(self._to_look & self._watchers.keys())
            self._to_look.clear()
            for first in range(0, len(wanted), CHUNK):
                await self._look(wanted[first : first + CHUNK])

    async def _look(self, ids: Collection[UUID]) -> None:
        try:
            online, is_whole = await self._online(ids)
        except REDIS_ERRORS:
            # The registry says so. The next look comes by itself.
            return
        here = {id: is_here for id in ids if (is_here := self._judge(id, id in online, is_whole)) is not None}
        untold = [
            (socket, id)
            for id, is_here in here.items()
            for socket, was_told in self._watchers.get(id, {}).items()
            if was_told != is_here
        ]
        if untold:
            await self._tell(untold, here)

    def _judge(self, id: UUID, is_online: bool, is_whole: bool) -> bool | None:
        """Tell whether someone is here; None where that is not clear yet, and looked at again."""
        if is_online:
            self._gone_since.pop(id, None)
            return True
        since = self._gone_since.setdefault(id, time.monotonic())
        waits = since + GRACE - time.monotonic()
        if is_whole and waits <= 0:
            return False
        asyncio.get_running_loop().call_later(max(waits, 0.5), self._look_soon, [id])
        return None

    async def _online(self, ids: Collection[UUID]) -> tuple[set[UUID], bool]:
        """Find who has a socket anywhere, and tell whether one may believe it of those who have none."""
        known = list(ids)
        found = await find_soon("sockets", [id.hex for id in known], most=1)
        return {id for id, there in zip(known, found.members, strict=True) if there}, found.age >= YOUNG

    async def _tell(self, untold: Collection[tuple[Socket, UUID]], here: Mapping[UUID, bool]) -> None:
        """Tell watchers what they have not heard; who may not see someone any more watches them no more."""
        pairs: set[Pair] = {(socket.user_id, id) for socket, id in untold}
        seen = await queries.sight(pairs)
        for socket, id in untold:
            if socket not in self._watchers.get(id, ()):
                continue
            if (pair := (socket.user_id, id)) not in seen:
                self._watched_by[socket].discard(id)
                self._drop(socket, id)
            elif socket.mention(PresenceChanged.of(id, online=here[id], last_seen=seen[pair]).frame()):
                self._watchers[id][socket] = here[id]
