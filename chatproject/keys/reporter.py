"""Each server process reports, from a thread of its own, which keys it knows, and learns which one is current."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Any
from uuid import uuid4

import psycopg

from chatproject.core.database import connection_parameters
from chatproject.core.encryption.ring import ring
from chatproject.keys import registry
from chatproject.keys.former_subkeys import open_subkeys, refresh_subkeys
from chatproject.keys.preparation import UnknownKey
from chatproject.keys.registry import Registered, report, withdraw

logger = logging.getLogger(__name__)

REPORT_EVERY = 10.0
RETRY_EVERY = 1.0
"""Seconds until the next attempt while the database does not answer."""
SESSION = "-c statement_timeout=5s -c lock_timeout=5s -c idle_in_transaction_session_timeout=5s"


class Reporter:
    """The reports of this process, from `start` until `stop`."""

    def __init__(self) -> None:
        self._server = uuid4()
        self._kind = ""
        self._connection: psycopg.Connection[Any] | None = None
        self._thread: Thread | None = None
        self._starting = Lock()
        self._stopped = Event()
        self._missing: dict[str, set[str]] = {}
        self._is_away = False
        self._knows_current_key = False
        self._reported_at = 0.0

    def start(self, kind: str) -> None:
        """Report once, then every ten seconds. Raises UnknownKey; while the database is away it starts all the same."""
        with self._starting:
            if self._thread is not None:
                return
            self._kind = kind
            ring().begin_to_be_told()
            found = self._try()
            if found is not None and not self._knows_current_key:
                self._withdraw()
                raise UnknownKey(found.current)
            self._thread = Thread(target=self._run, name="key-reports", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the reports. The last one counts for a while: this process may be about to start again."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._close()

    @property
    def is_started(self) -> bool:
        return self._thread is not None

    @property
    def is_ready(self) -> bool:
        """Whether this process has the current key, and has reported so recently that it counts.

        A process that does not report is no server, and nobody waits for it.
        """
        is_known = self._knows_current_key and time.monotonic() - self._reported_at < registry.DEAD_AFTER
        return is_known or not self.is_started

    def _run(self) -> None:
        while not self._stopped.wait(RETRY_EVERY if self._is_away else REPORT_EVERY):
            self._try()

    def _try(self) -> Registered | None:
        """Report; None if the database does not answer."""
        try:
            found = self._report()
        except psycopg.Error as error:
            self._note_away(error)
            return None
        if self._is_away:
            logger.warning("the database is back; the keys are reported again")
        self._is_away = False
        return found

    def _report(self) -> Registered:
        keys, on = ring(), self._connected()
        found = report(on, server=self._server, kind=self._kind, ring=keys)
        keys.set_current(bytes.fromhex(found.current))
        keys.keep_subkeys(open_subkeys(found, keys))
        refresh_subkeys(on, found, keys)
        if found.promoted:
            logger.warning("every server knows the key %s, which encrypts from now on", found.promoted)
        self._knows_current_key, self._reported_at = not found.missing(keys, "current"), time.monotonic()
        self._log_missing(found)
        return found

    def _log_missing(self, found: Registered) -> None:
        """Log each key that is missing here when it turns out to be missing."""
        for state, (level, what) in MISSING.items():
            missing = found.missing(ring(), state)
            if new := missing - self._missing.get(state, set()):
                logger.log(level, what, ", ".join(sorted(new)))
            self._missing[state] = missing

    def _connected(self) -> "psycopg.Connection[Any]":
        if self._connection is None:
            known = connection_parameters() | {"connect_timeout": 2, "tcp_user_timeout": 5000}
            known["fallback_application_name"] = "parley keys"
            known["options"] = f"{known.get('options', '')} {SESSION}"
            self._connection = psycopg.connect(**known, autocommit=True)
        return self._connection

    def _note_away(self, error: psycopg.Error) -> None:
        if not self._is_away:
            logger.warning("which keys are known here could not be reported: %s", type(error).__name__)
        self._is_away = True
        self._close()

    def _withdraw(self) -> None:
        """Take the report back, because this process does not start."""
        with suppress(psycopg.Error):
            withdraw(self._connected(), self._server)
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


MISSING = {
    "current": (
        logging.CRITICAL,
        "messages are encrypted with the key %s, which is not in CHAT_KEYS: what others write can't be read here",
    ),
    "retired": (logging.CRITICAL, "what was encrypted with the key %s can't be read here: it is not in CHAT_KEYS"),
    "known": (
        logging.WARNING,
        "others know the key %s, which is not in CHAT_KEYS here: it can't become current before this process ends",
    ),
}
reporter = Reporter()
"""The reporter of this process."""


@contextmanager
def reporting(kind: str) -> Iterator[None]:
    """Report as a process of this kind for as long as the block lasts; UnknownKey as `start` raises it."""
    reporter.start(kind)
    try:
        yield
    finally:
        reporter.stop()
