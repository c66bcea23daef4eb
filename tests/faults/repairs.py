"""How long it took until what was lost on the way was heard after all, by those who stayed connected."""

from collections.abc import Iterator, Sequence

from tests.faults.cluster import Server
from tests.faults.device import Device, Period
from tests.faults.faults import Outages
from tests.faults.journal import LOST
from tests.faults.redis_wire import Drop
from tests.faults.truth import PRESENT, Truth
from tests.faults.world import World

NEVER = float("inf")
REPAIR_MOST = 5.0
"""Seconds; the audit looks every four, and gives what is under way a moment."""


def longest_repair(world: World, servers: Sequence[Server], truth: Truth, outages: Outages, *, now: float) -> float:
    """Give the most seconds from a commit whose event was dropped to its being heard; note what is too long."""
    drops = [drop for server in servers for drop in server.redis.dropped if drop.event.conversation_id]
    repairs = [0.0, *(each for drop in drops for each in _repairs(drop, world, truth, outages, now))]
    return max(repairs)


def _repairs(drop: Drop, world: World, truth: Truth, outages: Outages, now: float) -> Iterator[float]:
    id, version = str(drop.event.conversation_id), drop.event.version
    since = min(drop.at, truth.committed.get((id, version)) or drop.at)
    for device in world.devices:
        period = _connected_in(device, drop.server, since)
        if period is None or not _listens(device, id, version, truth):
            continue
        # Who went before it was mended is not told of it any more, but of going, and as soon.
        gone = (moment for moment in device.replica.goings[id] if moment > since)
        unheard = _end_of_stay_unheard(device, id, version, truth, period)
        heard = min([device.replica.hearings.get((id, version), NEVER), unheard, *gone])
        end = min(period.until, now)
        until = min(heard, end)
        if outages.touch(since, until) or _was_stalled(device, since, until):
            continue
        if until - since > REPAIR_MOST:
            around = _around(device, id, version, truth, since)
            world.journal.find(LOST, f"{device.name} had not heard {drop} after {until - since:.2f} s, {around}")
        # Whoever was cut off meanwhile asked for it.
        if heard <= end or until - since > REPAIR_MOST:
            yield until - since


def _end_of_stay_unheard(device: Device, id: str, version: int, truth: Truth, period: Period) -> float:
    """When its person left a conversation of which the device heard nothing at all; else never.

    Who came and went between two looks of the audit is where they were before: there is nothing to be told of.
    """
    (began, ended) = next(stay for stay in truth.stays(id)[device.user_id] if stay[0] < version < stay[1])
    known = {device.replica.begun.get(id, NEVER), *(heard for place, heard in device.replica.hearings if place == id)}
    came, went = _committed(truth, id, began), _committed(truth, id, ended)
    # Whoever came before this connection was there when it caught up.
    if came is None or went is None or came < period.since or any(began <= each <= ended for each in known):
        return NEVER
    return went


def _around(device: Device, id: str, version: int, truth: Truth, since: float) -> str:
    """What was heard instead, for whoever looks for the reason."""
    near = sorted(heard for place, heard in device.replica.hearings if place == id and abs(heard - version) < 5)
    begun, stays = device.replica.begun.get(id), truth.stays(id).get(device.user_id)
    moments = [[_committed(truth, id, version) for version in stay] for stay in stays or ()]
    times = [[moment and round(moment - since, 2) for moment in stay] for stay in moments]
    return f"but {near}, introduced at {begun}, being in {stays}, in seconds {times}"


def _committed(truth: Truth, id: str, version: float) -> float | None:
    """When someone came or went: the notice of it stands one version behind."""
    return truth.committed.get((id, int(version) + 1)) if version != PRESENT else None


def _connected_in(device: Device, server: str, moment: float) -> Period | None:
    """The time in which a device heard a server, around a moment; None if it did not hear it then."""
    return next((each for each in device.periods if each.server == server and each.since < moment < each.until), None)


def _listens(device: Device, id: str, version: int, truth: Truth) -> bool:
    """Tell whether this version is for the device: its person was in, and it was not introduced at a later one."""
    spans = truth.stays(id).get(device.user_id, [])
    return device.replica.begun.get(id, 0) < version and any(began < version < ended for began, ended in spans)


def _was_stalled(device: Device, since: float, until: float) -> bool:
    return any(began <= until and ended >= since for began, ended in device.stalls)
