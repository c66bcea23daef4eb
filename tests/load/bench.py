"""All scenarios on both systems, one web process at a time. Import this when Django is ready."""

import sys
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any

import uvloop

from tests.load import machine, scenarios
from tests.load.baseline import Usual
from tests.load.change_log import change_log
from tests.load.parley import Parley, sociable, start_pair
from tests.load.parley import people as people_of_parley
from tests.load.reading import reading
from tests.load.scenarios import Figures
from tests.load.world import Sizes

Scenario = Callable[[], Coroutine[Any, Any, Figures]]


def measure(*, only: Collection[str], sizes: Sizes, cpu: int | None, baseline: bool) -> dict[str, Any]:
    """Measure the scenarios that are asked for, all of them if none is."""
    results: dict[str, Any] = {"about": machine.described(), "like_for_like": Parley.hears_delivered}
    results["parley"] = _parley(only, sizes, cpu)
    if baseline:
        results["usual"] = _usual(only, sizes, cpu)
    return results


def _parley(only: Collection[str], sizes: Sizes, cpu: int | None) -> dict[str, Figures]:
    parley = Parley()
    world = parley.world(sizes)
    away = start_pair(people_of_parley(2, name="away"))
    read = start_pair(people_of_parley(2, name="reader"))
    token = sociable(sizes.conversations)
    with parley.running(cpu=cpu) as server:
        return _run(
            only,
            {
                # The first two need a process that has not seen much yet: what it took once, it keeps.
                "idle": lambda: scenarios.idle(server, world.idle),
                "connecting": lambda: scenarios.connecting(server, token, rounds=sizes.rounds),
                "pairs": lambda: scenarios.pairs(parley, server, world.pairs, sizes),
                "group": lambda: scenarios.group(parley, server, world.group, sizes),
                "reading": lambda: reading(server, read, sizes),
                "change_log": lambda: change_log(server, world.pairs, sizes),
                "missed": lambda: scenarios.missed(server, away, sizes, by_socket=parley.catches_up),
            },
        )


def _usual(only: Collection[str], sizes: Sizes, cpu: int | None) -> dict[str, Figures]:
    usual = Usual()
    world = usual.world(sizes)
    with usual.running(cpu=cpu) as server:
        return _run(
            only,
            {
                "idle": lambda: scenarios.idle(server, world.idle),
                "pairs": lambda: scenarios.pairs(usual, server, world.pairs, sizes),
                "group": lambda: scenarios.group(usual, server, world.group, sizes),
            },
        )


def _run(only: Collection[str], known: Mapping[str, Scenario]) -> dict[str, Figures]:
    return {name: _said(name, scenario) for name, scenario in known.items() if not only or name in only}


def _said(name: str, scenario: Scenario) -> Figures:
    print(f"{name} …", file=sys.stderr, flush=True)
    return uvloop.run(scenario())
