"""The generic cell rate algorithm in the memory of this process, for limits that must hold without Redis."""

import math
import time
from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

TOLERANCE = 0.5
"""Milliseconds that a request may come early: both counters compute with fractions."""


class Term(NamedTuple):
    """One limit of one subject, and how much is taken from it."""

    key: str
    interval: float
    """Milliseconds between two requests that come evenly."""
    burst: int
    cost: int
    """0 asks whether there is room for one; a negative cost gives back."""


Answer = Sequence[int]
"""Allowed or not; of the tightest limit its number from 1, what is left, and the milliseconds until the next request
fits and until all of its burst is available again."""


class Meter:
    """Counts for a bounded number of keys. Threads may share one."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._lock = Lock()
        self._due: dict[str, float] = {}
        """When the next request of a key would be due if all came evenly, in milliseconds; the past means no entry."""

    def take(self, terms: Sequence[Term]) -> Answer:
        """Take from all limits or from none."""
        with self._lock:
            now = time.monotonic() * 1000
            due = [max(self._due.get(term.key, now), now) for term in terms]
            answer = decide(terms, due, now)
            if answer[0]:
                for term, start in zip(terms, due, strict=True):
                    self._store(term.key, start + term.cost * term.interval, now)
            return answer

    def knows(self, key: str) -> bool:
        """Tell whether a key still has something counted."""
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
        if len(self._due) > self._most:
            self._make_room(now)

    def _make_room(self, now: float) -> None:
        """Drop what has drained. If that is not enough, drop the emptiest quarter: it is of least use to anyone."""
        fullest = sorted((key for key, due in self._due.items() if due > now), key=self._due.__getitem__, reverse=True)
        kept = fullest if len(fullest) <= self._most else fullest[: self._most * 3 // 4]
        self._due = {key: self._due[key] for key in kept}


def decide(terms: Sequence[Term], due: Sequence[float], now: float) -> Answer:
    """Decide as the script in `chatproject.core.rate_limits` does."""
    rooms = [term.burst * term.interval - (start - now) for term, start in zip(terms, due, strict=True)]
    lacking = [lack(term, room) for term, room in zip(terms, rooms, strict=True)]
    worst = max(range(len(terms)), key=lacking.__getitem__)
    if lacking[worst] > TOLERANCE:
        return 0, worst + 1, 0, math.ceil(lacking[worst]), math.ceil(due[worst] - now)
    left = [math.floor(room / term.interval + 0.001) - term.cost for term, room in zip(terms, rooms, strict=True)]
    tightest = min(range(len(terms)), key=left.__getitem__)
    reset = due[tightest] - now + terms[tightest].cost * terms[tightest].interval
    return 1, tightest + 1, max(left[tightest], 0), 0, math.ceil(reset)


def lack(term: Term, room: float) -> float:
    """Milliseconds until there is room for a term; giving back always fits."""
    return 0.0 if term.cost < 0 else max(term.cost, 1) * term.interval - room
