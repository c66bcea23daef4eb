"""Every fault: how it is done, and whether it did any harm."""

import asyncio
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import NamedTuple

import psycopg

from tests.faults.cluster import Server, Site
from tests.faults.device import Device
from tests.faults.following import Followers
from tests.faults.nemesis import Deed
from tests.faults.people import Coming, text_of
from tests.faults.redis_wire import Event
from tests.faults.rest import Away
from tests.faults.world import World
from tests.support.patience import until

PATIENCE = 8.0


class Outages:
    """When an engine could not be used."""

    def __init__(self) -> None:
        self.spans: list[list[float]] = []

    def begin(self) -> None:
        self.spans.append([time.time(), float("inf")])

    def end(self) -> None:
        self.spans[-1][1] = time.time()

    def touch(self, since: float, until: float) -> bool:
        """Tell whether an engine was out at some moment between two."""
        return any(began <= until and ended >= since for began, ended in self.spans)


class Stage(NamedTuple):
    """What a run takes place on."""

    site: Site
    servers: Sequence[Server]
    world: World
    outages: Outages
    followers: Followers | None = None


class Processes:
    """What happens to web processes."""

    def __init__(self, servers: Sequence[Server], rng: Random) -> None:
        self._servers = servers
        self._rng = rng

    async def kill_one(self) -> bool:
        """Kill one with SIGKILL, and start it again after a pause."""
        return await self._kill([self._rng.choice(self._servers)])

    async def kill_all(self) -> bool:
        """Kill all of them in the same moment."""
        return await self._kill(self._servers)

    async def _kill(self, some: Sequence[Server]) -> bool:
        for server in some:
            server.kill()
        await asyncio.sleep(self._rng.uniform(0.3, 2))
        for server in some:
            server.start()
        await asyncio.gather(*(server.wait() for server in some))
        return True


class Engines:
    """What happens to Redis and PostgreSQL; never to both at once."""

    def __init__(self, site: Site, rng: Random, outages: Outages) -> None:
        self._site = site
        self._rng = rng
        self._outages = outages

    async def kill_redis(self) -> bool:
        """Kill Redis, which forgets everything, and start it again."""
        return await self._end("redis", signal.SIGKILL)

    async def stop_postgres(self) -> bool:
        """Stop PostgreSQL as `pg_ctl -m immediate` does: without a checkpoint or a farewell; start it again."""
        return await self._end("postgres", signal.SIGQUIT)

    async def pause_redis(self) -> bool:
        """Stop Redis in its tracks for a while: it neither answers nor closes anything."""
        self._outages.begin()
        self._site.send("redis", signal.SIGSTOP)
        await asyncio.sleep(self._rng.uniform(2, 8))
        self._site.send("redis", signal.SIGCONT)
        self._outages.end()
        return True

    async def _end(self, name: str, number: signal.Signals) -> bool:
        self._outages.begin()
        await self._site.kill(name, number)
        await asyncio.sleep(self._rng.uniform(0.2, 2))
        await self._site.start(name)
        self._outages.end()
        return True


class Generations:
    """What a restore says of itself. Nothing is turned back here, so that every guarantee has to hold as before."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def begin(self) -> bool:
        """Begin a new generation: every socket is closed, every cursor is gone, every device begins anew."""
        try:
            return await asyncio.to_thread(self._begin)
        except psycopg.OperationalError:
            return False  # PostgreSQL is stopped just now

    def _begin(self) -> bool:
        with psycopg.connect(self._site.database_url) as connection:
            return connection.execute("UPDATE chatproject_generation SET number = number + 1").rowcount == 1


class Wires:
    """What happens between web processes and engines."""

    def __init__(self, servers: Sequence[Server], world: World) -> None:
        self._servers = servers
        self._world = world
        self._rng = Random(world.rng.random())
        self._turn = 0

    async def drop(self) -> bool:
        """Lose half of all events for a while, then one in a quiet place, and the news that someone was removed."""
        for server in self._servers:
            server.redis.unlucky = lambda event: self._rng.random() < 0.5
        await asyncio.sleep(self._rng.uniform(0.3, 1))
        self.heal()
        lost = await self.drop_quietly()
        await self.remove_quietly()
        return lost

    async def drop_quietly(self) -> bool:
        """Have something said in a quiet place, and lost on its way to the other servers."""
        if (found := self._speaker()) is None:
            return await self._move_someone()
        speaker, place = found
        before = self._dropped(place)
        for server in self._servers:
            server.redis.unlucky = lambda event: event.conversation_id == place
        speaker.say(place, text_of(speaker, self._rng))
        lost = await until(lambda: self._dropped(place) > before, within=PATIENCE)
        self.heal()
        return lost

    def _speaker(self) -> tuple[Device, str] | None:
        """Find someone in a quiet place whom a device on another server of ours listens to; the places take turns."""
        self._turn += 1
        ours = {server.name for server in self._servers}
        devices = [device for device in self._world.devices if device.server]
        for n in range(len(self._world.quiet)):
            place = self._world.quiet[(self._turn + n) % len(self._world.quiet)]
            those = [device for device in devices if place in device.replica.conversations]
            listening = {device.server for device in those} & ours
            if speakers := [device for device in those if listening - {device.server}]:
                return self._rng.choice(speakers), place
        return None

    async def _move_someone(self) -> bool:
        """Have those in one quiet place come back, perhaps to different servers; that is no harm."""
        place = self._world.quiet[self._turn % len(self._world.quiet)]
        some = [device for device in self._world.devices if place in device.replica.conversations]
        for device in some:
            device.move()
        await asyncio.sleep(0.2)
        await until(lambda: all(device.server for device in some), within=PATIENCE)
        return False

    async def remove_quietly(self) -> bool:
        """Have people removed who are not told so, while the others go on talking."""
        coming, before = Coming(self._world), self._dropped(None)
        for server in self._servers:
            server.redis.unlucky = lambda event: event.conversation_id is None
        with suppress(Away, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                for _ in range(3):
                    await coming.remove()
        # What is said now is not for those who are out.
        await asyncio.sleep(0.7)
        self.heal()
        return self._dropped(None) > before

    def _dropped(self, place: str | None) -> int:
        """How often an event of a place was lost; None: of a person."""
        return sum(drop.event.conversation_id == place for server in self._servers for drop in server.redis.dropped)

    async def reorder(self) -> bool:
        """Let every third event be late for a while, by less and by more than is waited for."""
        before = self._late()
        for server in self._servers:
            server.redis.late = self._lateness
        await asyncio.sleep(self._rng.uniform(1, 3))
        self.heal()
        return self._late() > before

    def _lateness(self, event: Event) -> float:
        return self._rng.uniform(0.002, 0.08) if self._rng.random() < 0.3 else 0

    def _late(self) -> int:
        return sum(server.redis.delayed for server in self._servers)

    async def delay_commits(self) -> bool:
        """Let one server's commits take up to half a second each way: locks are held, and events come in any order."""
        server = self._rng.choice(self._servers)
        before = server.database.delayed
        server.database.delay = lambda: self._rng.uniform(0, 0.5)
        await asyncio.sleep(self._rng.uniform(1, 3))
        self.heal()
        return server.database.delayed > before

    async def lose_answers(self) -> bool:
        """Lose the answers of a few commits, each with its connection: nobody knows whether they are stored."""
        server = self._rng.choice(self._servers)
        before = server.database.lost
        server.database.answers_to_lose = self._rng.randint(1, 4)
        await until(lambda: server.database.answers_to_lose == 0, within=PATIENCE)
        self.heal()
        return server.database.lost > before

    def heal(self) -> None:
        """Do no more harm."""
        for server in self._servers:
            server.redis.heal()
            server.database.heal()


class Sockets:
    """What happens between devices and web processes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = Random(world.rng.random())

    async def cut(self) -> bool:
        """Cut a third of all sockets without a word."""
        cut = [device.cut() for device in self._some()]
        await asyncio.sleep(0.1)
        return any(cut)

    async def stall(self) -> bool:
        """Let a few devices read nothing for a while."""
        some = self._some()[:3]
        return any(await asyncio.gather(*(device.stall(self._rng.uniform(1, 6)) for device in some)))

    def _some(self) -> list[Device]:
        return self._rng.sample(self._world.devices, max(1, len(self._world.devices) // 3))


def usual_decks(stage: Stage) -> list[dict[str, Deed]]:
    """All the faults there are."""
    rng = stage.world.rng
    processes, engines = Processes(stage.servers, rng), Engines(stage.site, rng, stage.outages)
    wires, sockets = Wires(stage.servers, stage.world), Sockets(stage.world)
    return [
        {
            "web process killed": processes.kill_one,
            "both servers down": processes.kill_all,
            "generation begun": Generations(stage.site).begin,
        },
        {
            "Redis killed": engines.kill_redis,
            "Redis paused": engines.pause_redis,
            "PostgreSQL stopped": engines.stop_postgres,
        },
        {
            "events dropped": wires.drop,
            "events reordered": wires.reorder,
            "commits delayed": wires.delay_commits,
            "answers of commits lost": wires.lose_answers,
        },
        {"client sockets cut": sockets.cut, "client sockets stalled": sockets.stall},
        *([_of_followers(stage.followers)] if stage.followers else []),
    ]


def _of_followers(followers: Followers) -> dict[str, Deed]:
    return {
        "follower killed": followers.kill_one,
        "both followers killed": followers.kill_all,
        "mark of follower lost": followers.lose_mark,
    }
