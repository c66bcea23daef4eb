"""The nemesis: it deals its faults from shuffled decks, several at a time, and counts those that did harm."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random

TRIES_MOST = 50
Deed = Callable[[], Awaitable[bool]]


class Nemesis:
    """Faults by name, in decks whose cards never lie on top of each other; the decks are dealt side by side."""

    def __init__(
        self, decks: Sequence[dict[str, Deed]], rng: Random, *, tell: Callable[[str], None] = lambda words: None
    ) -> None:
        self._decks = decks
        self._rng = rng
        self._tell = tell
        self.done: Counter[str] = Counter()

    @property
    def names(self) -> list[str]:
        return [name for deck in self._decks for name in deck]

    async def rage(self, *, seconds: float, times: int, calm: float = 0.0) -> None:
        """Do every fault so many times, spread over the seconds, or longer if they take longer.

        Behind each, its deck gives as much calm as it took, or a part of that.
        """
        await asyncio.gather(*(self._deal(deck, seconds, times, calm) for deck in self._decks))

    async def _deal(self, deck: dict[str, Deed], seconds: float, times: int, calm: float) -> None:
        """Do what the deck says, each in its part of the time."""
        began = time.monotonic()
        cards = [name for name in deck for _ in range(times)]
        self._rng.shuffle(cards)
        took = 0.0
        for n, name in enumerate(cards):
            due = (n + self._rng.random() * 0.6) * seconds / len(cards)
            await asyncio.sleep(max(took * calm, began + due - time.monotonic()))
            took = await self._do(name, deck[name])

    async def _do(self, name: str, deed: Deed) -> float:
        """Do a fault until it has done harm, and tell how long that took.

        It may find nothing to harm while another one is at work.
        """
        for _ in range(TRIES_MOST):
            began = time.monotonic()
            if await deed():
                self.done[name] += 1
                self._tell(name)
                return time.monotonic() - began
            await asyncio.sleep(0.3)
        self._tell(f"{name}: did no harm")
        return 0.0
