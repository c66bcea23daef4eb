"""Watching the generation of the database: a server process learns within a second that a backup was restored."""

import asyncio
import logging
from collections.abc import Callable

from chatproject.core.generation import READ_GENERATION, remember_generation
from messaging.realtime.snapshots import read_snapshot

logger = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two readings."""
TIMEOUT = 4.0
"""Seconds after which a reading that gets no answer is given up and begun again."""
KNOWN_FOR = 3 * (INTERVAL + TIMEOUT)
"""Seconds for which the process relies on the watch: while the database is down, what it knew last still counts."""


class GenerationWatch:
    """Reads the generation again and again; calls `on_restored` when it is another one."""

    def __init__(self, on_restored: Callable[[], None]) -> None:
        self._on_restored = on_restored
        self._is_known = asyncio.Event()
        self._is_failing = False
        self.number = 0
        """The generation on which everything that this hub knows is based; 0 until it was read for the first time."""

    async def until_known(self) -> None:
        """Wait until the generation was read for the first time."""
        await self._is_known.wait()

    async def run(self) -> None:
        """Read the generation every second, until cancelled."""
        try:
            while True:
                await self._read()
                await asyncio.sleep(INTERVAL)
        finally:
            # Nobody watches any more: ask the database.
            remember_generation(self.number, seconds=0)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT), read_snapshot() as run:
                ((number,),) = await run(READ_GENERATION)
        except Exception as error:
            if not self._is_failing:
                logger.warning("the generation could not be read: %s", type(error).__name__)
            self._is_failing = True
            if self.number:
                remember_generation(self.number, seconds=KNOWN_FOR)
        else:
            self._is_failing = False
            self.receive(number)

    def receive(self, number: int) -> bool:
        """Receive the generation as it was just read; return whether it is the known one, or the first."""
        former, self.number = self.number, number
        remember_generation(number, seconds=KNOWN_FOR)
        self._is_known.set()
        if former in (0, number):
            return True
        logger.warning("a backup was restored: generation %s after %s", number, former)
        self._on_restored()
        return False
