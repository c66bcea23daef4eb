"""The followers of the change log under stress: `manage.py follow`, twice, and whether they counted every message."""

import asyncio
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random

import psycopg

from chatproject.embedded.application import manage_command
from chatproject.embedded.data_folder import PROJECT
from tests.faults.cluster import Site
from tests.faults.journal import DOUBLED, LOST, Finding
from tests.support.patience import until

COUNTED = "SELECT COALESCE(sum(messages), 0) FROM messaging_messagecount"
STORED = "SELECT count(*) FROM messaging_message"
# Then the next step counts everything anew.
LOSE_MARK = "UPDATE conversations_followermark SET mark = NULL"


class Follow:
    """One process, which is started again when it was killed."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.start()

    def start(self) -> None:
        with self._site.folder.log("follow").open("ab") as log:
            self._process = subprocess.Popen(
                manage_command("follow"),
                env=self._site.environ,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """End the process as a power failure would."""
        self._process.kill()
        self._process.wait()


class Followers:
    """What happens to them."""

    def __init__(self, site: Site, processes: Sequence[Follow], rng: Random) -> None:
        self._site = site
        self._processes = processes
        self._rng = rng

    async def kill_one(self) -> bool:
        """Kill one with SIGKILL, and start it again after a pause."""
        return await self._kill([self._rng.choice(self._processes)])

    async def kill_all(self) -> bool:
        """Kill all of them in the same moment."""
        return await self._kill(self._processes)

    async def lose_mark(self) -> bool:
        """Take the mark away, as when they were off for too long: they rebuild while people go on talking."""
        try:
            return await asyncio.to_thread(self._run, LOSE_MARK) == 1
        except psycopg.OperationalError:
            return False  # PostgreSQL is stopped just now

    async def _kill(self, some: Sequence[Follow]) -> bool:
        for each in some:
            each.kill()
        await asyncio.sleep(self._rng.uniform(0.3, 2))
        for each in some:
            each.start()
        # It does nothing before it has started.
        await asyncio.sleep(3)
        return True

    async def judge(self) -> list[Finding]:
        """Wait until they have come through, and compare what they counted with what is stored."""
        await until(lambda: self._read(COUNTED) == self._read(STORED), within=20)
        counted, stored = self._read(COUNTED), self._read(STORED)
        kind = LOST if counted < stored else DOUBLED
        return [] if counted == stored else [Finding(kind, f"followers counted {counted} of {stored} messages")]

    def _read(self, sql: str) -> int:
        with psycopg.connect(self._site.database_url) as connection:
            found = connection.execute(sql).fetchone()
        return int(found[0]) if found else 0

    def _run(self, sql: str) -> int:
        with psycopg.connect(self._site.database_url) as connection:
            return connection.execute(sql).rowcount


@contextmanager
def running_followers(site: Site, rng: Random) -> Iterator[Followers]:
    """Have two processes that follow for as long as the block lasts."""
    processes = [Follow(site) for _ in range(2)]
    try:
        yield Followers(site, processes, rng)
    finally:
        for each in processes:
            each.kill()
