"""How the suite judges a loss: by when it was mended, or by when its hearer was told of being out."""

from random import Random
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from tests.faults.device import Device, Period
from tests.faults.faults import Outages
from tests.faults.journal import LOST
from tests.faults.redis_wire import Drop, Event
from tests.faults.repairs import longest_repair
from tests.faults.replica import Said
from tests.faults.truth import Place, Stored, Truth
from tests.faults.world import World

GROUP, BOB, DROPPED_AT, END = "group", "bob", 1000.0, 1026.0


@pytest.fixture
def bob() -> Device:
    journal = cast("Any", SimpleNamespace(find=None))
    device = Device("bob", urls={}, http=httpx.AsyncClient(), journal=journal, rng=Random(1))
    device.user_id = BOB
    device.periods.append(Period("B", 0.0))
    return device


def judge(device: Device, *notices: Stored) -> tuple[float, list[str]]:
    """Give the longest repair of one dropped event, version 5, and the kinds of what was found."""
    found: list[str] = []
    journal = SimpleNamespace(find=lambda kind, said: found.append(kind))
    world = cast("World", SimpleNamespace(devices=[device], journal=journal))
    server = cast("Any", SimpleNamespace(redis=SimpleNamespace(dropped=[Drop("B", Event(GROUP, 5, b""), DROPPED_AT)])))
    truth = Truth({}, [Place(GROUP, BOB, 0, 0, None, 0, 0)], {notice.id: notice for notice in notices})
    return longest_repair(world, [server], truth, Outages(), now=END), found


def notice(event: str, position: int, committed_at: float) -> Stored:
    """What tells that Bob came or went."""
    said = Said(position, position, ())
    return Stored(event, GROUP, "alice", said, [], {"event": event, "user_ids": [BOB]}, committed_at)


def test_what_is_heard_soon_is_mended(bob: Device) -> None:
    bob.replica.hearings[GROUP, 5] = DROPPED_AT + 2
    assert judge(bob) == (2, [])


def test_what_is_never_heard_is_lost(bob: Device) -> None:
    assert judge(bob) == (END - DROPPED_AT, [LOST])


@pytest.mark.parametrize(("seconds", "found"), [(2, []), (8, [LOST])])
def test_who_is_out_must_be_told_so_as_soon(bob: Device, seconds: float, found: list[str]) -> None:
    bob.replica.goings[GROUP] += [DROPPED_AT - 100, DROPPED_AT + seconds]
    assert judge(bob) == (seconds, found)


def test_going_long_before_excuses_nothing(bob: Device) -> None:
    bob.replica.goings[GROUP].append(DROPPED_AT - 100)
    assert judge(bob) == (END - DROPPED_AT, [LOST])


@pytest.mark.parametrize(("seconds", "found"), [(3, []), (8, [LOST])])
def test_who_came_and_went_unheard_need_not_be_told(bob: Device, seconds: float, found: list[str]) -> None:
    stay = notice("joined", 4, DROPPED_AT - 1), notice("left", 9, DROPPED_AT + seconds)
    assert judge(bob, *stay) == (seconds, found)


def test_who_heard_of_coming_must_be_told_of_going(bob: Device) -> None:
    bob.replica.begun[GROUP] = 3
    stay = notice("joined", 4, DROPPED_AT - 1), notice("left", 9, DROPPED_AT + 3)
    assert judge(bob, *stay) == (END - DROPPED_AT, [LOST])


def test_who_came_before_it_connected_must_be_told_of_going(bob: Device) -> None:
    bob.periods[:] = [Period("B", DROPPED_AT - 0.5)]
    stay = notice("joined", 4, DROPPED_AT - 1), notice("left", 9, DROPPED_AT + 3)
    assert judge(bob, *stay) == (END - DROPPED_AT, [LOST])
