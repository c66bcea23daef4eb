"""Running followers: each in a thread of its own, so that none waits for another and each fails by itself."""

import logging
import threading
import time
from collections.abc import Sequence

from django.db import DatabaseError, close_old_connections

from chatproject.core.database import without_connection
from conversations.change_log.delays import delays
from conversations.change_log.follower import Follower, Step, step
from conversations.change_log.trimming import trim_some

logger = logging.getLogger(__name__)

BUSY_POLL = 0.1
"""Seconds between two looks at the log while there are changes."""
IDLE_POLL = 0.15
"""Seconds between two looks at the log while there are none."""
RECHECK = 5.0
"""Seconds after which a follower takes a step though nothing seems to be new: its mark may mean nothing any more."""
LONGEST_PAUSE = 30.0
"""Seconds that a follower pauses at most after it has failed several times."""
TRIM_EVERY = 60.0
"""Seconds between two deletions of entries that are not needed any more."""
GRACE = 5.0
"""Seconds that steps have to end when all is to stop; one that takes longer ends with the process, and is repeated."""


class FollowerThread(threading.Thread):
    """One follower: it takes steps while there is something to do, then waits until it is woken."""

    def __init__(self, follower: Follower, stopping: threading.Event) -> None:
        super().__init__(name=follower.name, daemon=True)
        self._follower = follower
        self._stopping = stopping
        self._news = threading.Event()
        self._failures = 0

    def wake(self) -> None:
        """Let it take a step: there is something new."""
        self._news.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            pause = self._take_steps()
            with without_connection():
                if pause:
                    self._stopping.wait(pause)
                else:
                    self._news.wait(RECHECK)
            self._news.clear()

    def _take_steps(self) -> float:
        """Take steps until there is nothing more; return the seconds to pause before the next, 0 to wait for news."""
        try:
            while (came_of_it := step(self._follower)) is Step.MORE and not self._stopping.is_set():
                pass
        except Exception:
            self._failures += 1
            logger.exception("the follower %s failed; it will try again", self._follower.name)
            close_old_connections()
            return min(LONGEST_PAUSE, 0.1 * 2.0 ** min(self._failures, 10))
        self._failures = 0
        return IDLE_POLL if came_of_it is Step.ELSEWHERE else 0


class Runner:
    """All followers of one process, and the one look at the log that wakes those who have something to do."""

    def __init__(self, followers: Sequence[Follower]) -> None:
        self._is_asked_to_stop = False
        self._stopping = threading.Event()
        self._threads = {follower.name: FollowerThread(follower, self._stopping) for follower in followers}

    def stop(self) -> None:
        """Let `run` return after the steps that are being taken, or after `GRACE` if one takes longer.

        It may be called by a signal handler: it takes no lock, which the interrupted code may hold.
        """
        self._is_asked_to_stop = True

    def run(self) -> None:
        """Run the followers until `stop` is called."""
        for thread in self._threads.values():
            thread.start()
        trim_at = 0.0
        while not self._is_asked_to_stop:
            pause = self._wake_those_behind()
            # What has piled up is deleted a part at a time: the followers wait for the next look at the log.
            if time.monotonic() >= trim_at and not self._trim():
                trim_at = time.monotonic() + TRIM_EVERY
            with without_connection():
                time.sleep(pause)
        self._stopping.set()
        for thread in self._threads.values():
            thread.wake()
        with without_connection():
            ends = time.monotonic() + GRACE
            for thread in self._threads.values():
                thread.join(max(0, ends - time.monotonic()))

    def _wake_those_behind(self) -> float:
        """Wake the followers for whom something is new; return the seconds until the next look."""
        try:
            behind = [each.follower for each in delays(self._threads) if each.seconds or each.is_rebuilding]
        except DatabaseError as error:
            logger.warning("the change log cannot be read: %s", type(error).__name__)
            close_old_connections()
            return 1.0
        for name in behind:
            self._threads[name].wake()
        return BUSY_POLL if behind else IDLE_POLL

    def _trim(self) -> bool:
        """Delete some entries; return whether there may be more."""
        try:
            return trim_some()
        except DatabaseError as error:
            logger.warning("the change log could not be trimmed: %s", type(error).__name__)
            close_old_connections()
            return False
