"""Who there is in a run, with which devices, and in which conversations."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import Any

import httpx

from tests.faults.cluster import Server
from tests.faults.device import SIGN_INS, Device
from tests.faults.journal import Journal


@dataclass(frozen=True)
class Size:
    """How much there is of everything."""

    people: int = 12
    second_devices: int = 6
    groups: int = 5
    directs: int = 8
    quiet: int = 6
    actions_a_second: float = 10.0
    """What one device's person does, on average."""


SMALL = Size(people=6, second_devices=3, groups=2, directs=3, quiet=3, actions_a_second=5.0)
TINY = Size(people=3, second_devices=1, groups=1, directs=1, quiet=2, actions_a_second=4.0)


class World:
    """People's devices and conversations. In the quiet ones something is said only where the nemesis wants it."""

    def __init__(self, size: Size, name: str, rng: Random, *, is_pinned: bool = False) -> None:
        self.size = size
        self.name = name
        self.rng = rng
        self.is_pinned = is_pinned
        """Whether each device knows one server only, in turns."""
        self.journal = Journal()
        self.devices: list[Device] = []
        self.quiet: list[str] = []
        self.groups: list[str] = []

    @property
    def people(self) -> dict[str, list[Device]]:
        """Every person's devices."""
        found: dict[str, list[Device]] = {}
        for device in self.devices:
            found.setdefault(device.user_id, []).append(device)
        return found

    def is_settled(self) -> bool:
        """Tell whether all devices are connected, have caught up, and wait for no acknowledgement."""
        return all(device.is_settled and not len(device.outbox) for device in self.devices)

    async def populate(self, servers: Sequence[Server], http: httpx.AsyncClient) -> None:
        """Make people, devices and conversations."""
        for n in range(self.size.people + self.size.second_devices):
            reached = [servers[n % len(servers)]] if self.is_pinned else servers
            self.devices.append(self._device(n, {server.name: server.url for server in reached}, http))
        firsts, seconds = self.devices[: self.size.people], self.devices[self.size.people :]
        for n, device in enumerate(firsts):
            device.user_id = (await device.rest.register(f"{self.name}.{n}"))["id"]
        for first, second in zip(firsts, seconds, strict=False):
            second.user_id = first.user_id
            await second.rest.sign_in(first.rest.username)
        await self._converse(firsts)

    def _device(self, n: int, urls: dict[str, str], http: httpx.AsyncClient) -> Device:
        return Device(
            f"{self.name}/{n}",
            urls=urls,
            http=http,
            journal=self.journal,
            rng=Random(self.rng.random()),
            sign_in=SIGN_INS[n % len(SIGN_INS)],
            is_phone=n % 2 == 1,
        )

    async def _converse(self, firsts: Sequence[Device]) -> None:
        pairs = list(combinations(firsts, 2))
        self.rng.shuffle(pairs)
        for n, (one, other) in enumerate(pairs[: self.size.directs + self.size.quiet]):
            to = {"id": other.user_id}
            made = await one.rest.require("POST", "/conversations", kind="direct", to=to)
            if n < self.size.quiet:
                self.quiet.append(made["id"])
        for n in range(self.size.groups):
            owner = firsts[n % len(firsts)]
            others = [device for device in firsts if device is not owner]
            # The first is everybody's.
            await self.gather_group(owner, others if n == 0 else self.rng.sample(others, max(2, len(others) // 2)))

    async def gather_group(self, owner: Device, others: Sequence[Device]) -> None:
        """Make a group."""
        participants = [{"id": other.user_id} for other in others]
        number = len(self.groups)
        body = {"kind": "group", "name": f"Group {number}", "participants": participants}
        self.groups.append((await owner.rest.require("POST", "/conversations", **body))["id"])


@asynccontextmanager
async def together(lives: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Have several go on for as long as the block lasts; whichever fails ends it."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in lives]
        yield
        for each in tasks:
            each.cancel()


@asynccontextmanager
async def living_world(
    servers: Sequence[Server], size: Size, name: str, rng: Random, *, is_pinned: bool = False
) -> AsyncIterator[World]:
    """Have a world whose devices are connected for as long as the block lasts."""
    world = World(size, name, rng, is_pinned=is_pinned)
    limits = httpx.Limits(max_connections=60, max_keepalive_connections=40)
    async with httpx.AsyncClient(limits=limits, timeout=10, trust_env=False) as http:
        await world.populate(servers, http)
        async with together(device.live() for device in world.devices):
            yield world
