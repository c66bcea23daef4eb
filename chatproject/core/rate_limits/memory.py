"""The generic cell rate algorithm (GCRA) in the memory of this process, for limits that must hold without Redis."""

import math
import time
from collections.abc import Sequence
from threading import Lock

from chatproject.core.rate_limits.limit import Consumption, Reply

TOLERANCE = 0.5
"""Milliseconds that a use may come early: both counters compute with fractions."""


class MemoryCounter:
    """Counts for a bounded number of keys. It is safe to share between threads."""

    def __init__(self, max_keys: int = 20_000) -> None:
        self._max_keys = max_keys
        self._lock = Lock()
        self._due: dict[str, float] = {}
        """When the next use of a key would be due if all came evenly, in milliseconds; past times are dropped."""

    def consume(self, consumptions: Sequence[Consumption]) -> Reply:
        """Consume from all keys, or from none if one has no room."""
        with self._lock:
            now = time.monotonic() * 1000
            due = [max(self._due.get(each.key, now), now) for each in consumptions]
            reply = decide(consumptions, due, now)
            if reply[0]:
                for each, start in zip(consumptions, due, strict=True):
                    self._store(each.key, start + each.cost * each.interval, now)
            return reply

    def is_counting(self, key: str) -> bool:
        """Tell whether a key has uses that have not drained yet."""
        return self._due.get(key, 0.0) > time.monotonic() * 1000

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._due.clear()

    def __len__(self) -> int:
        return len(self._due)

    def _store(self, key: str, due: float, now: float) -> None:
        if due > now:
            self._due[key] = due
        else:
            self._due.pop(key, None)
        if len(self._due) > self._max_keys:
            self._make_room(now)

    def _make_room(self, now: float) -> None:
        """Drop the keys that have drained. If too many are left, keep the fullest three quarters of the bound."""
        fullest = sorted((key for key, due in self._due.items() if due > now), key=self._due.__getitem__, reverse=True)
        kept = fullest if len(fullest) <= self._max_keys else fullest[: self._max_keys * 3 // 4]
        self._due = {key: self._due[key] for key in kept}


def decide(consumptions: Sequence[Consumption], due: Sequence[float], now: float) -> Reply:
    """Decide as the script `GCRA` in `script.py` does."""
    rooms = [each.capacity * each.interval - (start - now) for each, start in zip(consumptions, due, strict=True)]
    lacking = [lack(each, room) for each, room in zip(consumptions, rooms, strict=True)]
    worst = max(range(len(consumptions)), key=lacking.__getitem__)
    if lacking[worst] > TOLERANCE:
        return 0, worst + 1, 0, math.ceil(lacking[worst]), math.ceil(due[worst] - now)
    left = [
        math.floor(room / each.interval + 0.001) - each.cost for each, room in zip(consumptions, rooms, strict=True)
    ]
    tightest = min(range(len(consumptions)), key=left.__getitem__)
    reset = due[tightest] - now + consumptions[tightest].cost * consumptions[tightest].interval
    return 1, tightest + 1, max(left[tightest], 0), 0, math.ceil(reset)


def lack(consumption: Consumption, room: float) -> float:
    """Return the milliseconds until there is room; giving back always fits."""
    return 0.0 if consumption.cost < 0 else max(consumption.cost, 1) * consumption.interval - room
