"""One run: a world, its people, the nemesis; then quiet, and the verdict."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from random import Random
from secrets import token_hex

from tests.faults import truth
from tests.faults.cluster import Site, running_servers
from tests.faults.faults import Outages, Stage, usual_decks
from tests.faults.following import running_followers
from tests.faults.nemesis import Nemesis
from tests.faults.people import Coming, Habits
from tests.faults.repairs import longest_repair
from tests.faults.report import FULL, SHORT, Minimum, Report
from tests.faults.verdict import judge
from tests.faults.world import SMALL, Size, World, living_world, together
from tests.support.patience import until

AUDIT_SECONDS = 6.0
"""Longer than the audit takes to find what nobody heard; nothing reconnects meanwhile."""


@dataclass(frozen=True)
class Plan:
    """How long a run takes, how much there is in it, and what it must have seen."""

    size: Size
    seconds: float
    each_fault: int
    minimum: Minimum
    calm: float = 0.0
    """How much calm follows a fault, as a part of its time."""
    patience: float = 60.0
    """Seconds in which everyone must have come back and got their acknowledgements."""


def full_plan(seconds: float) -> Plan:
    """The run that proves it."""
    return Plan(Size(), seconds, each_fault=6, minimum=FULL, calm=1.0)


SHORT_PLAN = Plan(SMALL, seconds=6, each_fault=1, minimum=SHORT)


async def run(site: Site, plan: Plan, seed: int) -> Report:
    """Run once, on servers of its own."""
    rng = Random(seed)
    async with (
        running_servers(site, "A", "B") as servers,
        living_world(servers, plan.size, f"seed{seed}.{token_hex(2)}", rng) as world,
    ):
        with running_followers(site, rng) as followers:
            stage = Stage(site, servers, world, Outages(), followers)
            await until(world.is_settled, within=plan.patience)
            began = time.monotonic()
            nemesis = Nemesis(usual_decks(stage), rng, tell=partial(_tell, world, began))
            async with busy(world):
                await nemesis.rage(seconds=plan.seconds, times=plan.each_fault, calm=plan.calm)
                await _until_enough(world, plan, began)
            return await conclude(stage, plan, nemesis, seed=seed, seconds=time.monotonic() - began)


def _tell(world: World, began: float, words: str) -> None:
    acknowledged = world.journal.answered["acknowledged"]
    print(f"{time.monotonic() - began:6.1f} s {acknowledged:6} acknowledged  {words}", flush=True)


async def _until_enough(world: World, plan: Plan, began: float) -> None:
    """Go on until the time is over, and, on a slow machine, for longer until enough was acknowledged."""
    while (past := time.monotonic() - began) < 3 * plan.seconds:
        if past >= plan.seconds and world.journal.answered["acknowledged"] >= plan.minimum.acknowledged:
            return
        await asyncio.sleep(0.2)


def busy(world: World) -> AbstractAsyncContextManager[None]:
    """Have people do what they do for as long as the block lasts."""
    return together(each.live() for each in [*(Habits(device, world) for device in world.devices), Coming(world)])


async def conclude(stage: Stage, plan: Plan, nemesis: Nemesis, *, seed: int, seconds: float) -> Report:
    """Let everything come to rest, then compare."""
    site, servers, world, outages, followers = stage
    await until(world.is_settled, within=plan.patience)
    await asyncio.sleep(AUDIT_SECONDS)
    found = await asyncio.to_thread(truth.read, site.database_url, site.environ["CHAT_KEYS"], world.people)
    await judge(world, found)
    for finding in await followers.judge() if followers else ():
        world.journal.find(*finding)
    longest = longest_repair(world, servers, found, outages, now=time.time())
    return Report(
        seed=seed,
        seconds=seconds,
        faults={name: nemesis.done[name] for name in nemesis.names},
        answered=dict(world.journal.answered),
        dropped=sum(len(server.redis.dropped) for server in servers),
        longest_repair=longest,
        counts=world.journal.counts,
        findings=world.journal.findings,
        minimum=plan.minimum,
    )
