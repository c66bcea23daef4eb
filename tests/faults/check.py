"""The test of the test: servers that lack a part, and for each the one harm that the part is there for."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from tests.faults.cluster import Server, Site, running_servers
from tests.faults.device import Device
from tests.faults.faults import Outages, Stage, Wires
from tests.faults.nemesis import Nemesis
from tests.faults.people import text_of
from tests.faults.report import Minimum, Report
from tests.faults.run import Plan, conclude
from tests.faults.world import TINY, World, living_world
from tests.support.patience import until

PLAN = Plan(TINY, seconds=0, each_fault=1, minimum=Minimum(seconds=0, acknowledged=0, each_fault=1), patience=5)


async def run_all(site: Site, seed: int) -> dict[str, Report]:
    """Run without each of the parts, side by side; a whole server is there for all of them to talk to."""
    async with running_servers(site, "whole") as whole:
        reports = await asyncio.gather(*(run_without(part, site, whole, seed) for part in PROVOCATIONS))
    return dict(zip(PROVOCATIONS, reports, strict=True))


async def run_without(part: str, site: Site, whole: list[Server], seed: int) -> Report:
    """Run on a server that lacks a part; every other device is on the whole one."""
    rng = Random(seed)
    async with (
        running_servers(site, f"without-{part}", without=part) as lacking,
        living_world([*lacking, *whole], TINY, f"{part}{seed}", rng, is_pinned=True) as world,
    ):
        stage = Stage(site, lacking, world, Outages())
        nemesis = Nemesis([{part: lambda: PROVOCATIONS[part](stage)}], rng)
        await until(world.is_settled, within=30)
        await nemesis.rage(seconds=0, times=1)
        return await conclude(stage, PLAN, nemesis, seed=seed, seconds=0)


async def lose_the_last_event(stage: Stage) -> bool:
    """What the audit is there for: nothing comes behind it that would show what is missing."""
    return await Wires(stage.servers, stage.world).drop_quietly()


async def mix_events_up(stage: Stage) -> bool:
    """What the gap check is there for: events come in any order."""
    _here, there, *_ = stage.world.devices
    # So close behind each other that those which are late come behind others for certain.
    talk = asyncio.ensure_future(chat(there, stage.world, times=100, pause=0.01))
    try:
        return await Wires(stage.servers, stage.world).reorder()
    finally:
        await talk


async def remove_unheard(stage: Stage) -> bool:
    """What the epochs are there for: someone is put out, is not told so, and the others go on talking."""
    _here, there, victim, owner = stage.world.devices
    (server,) = stage.servers
    server.redis.unlucky = lambda event: event.conversation_id is None
    path = f"/conversations/{stage.world.groups[0]}/participants/{victim.user_id}"
    answer = await owner.rest.call("DELETE", path)
    await chat(there, stage.world)
    server.redis.heal()
    return answer.is_success


async def lose_an_answer(stage: Stage) -> bool:
    """What the look-up of repeats is there for: nobody knows whether a message is stored, and it is sent again."""
    here, *_ = stage.world.devices
    (server,) = stage.servers
    # More than there are marks among what is being said.
    server.database.answers_to_lose = 8
    await chat(here, stage.world)
    return await until(lambda: server.database.answers_to_lose == 0, within=5)


async def chat(device: Device, world: World, *, times: int = 20, pause: float = 0.05) -> None:
    """Say a few things in the group, one by one."""
    for _ in range(times):
        device.say(world.groups[0], text_of(device, world.rng))
        await asyncio.sleep(pause)


PROVOCATIONS: dict[str, Callable[[Stage], Awaitable[bool]]] = {
    "audit": lose_the_last_event,
    "gaps": mix_events_up,
    "epochs": remove_unheard,
    "repeats": lose_an_answer,
}
