"""People who write and read while a migration runs, by the statements of the product that every release understands."""

import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from typing import Any

import psycopg

from chatproject.core.database import connection_parameters
from chatproject.core.ids import uuid7

CHANGE_CONVERSATION = """
UPDATE conversations_conversation SET version = version + 1, last_position = version + 1, changed_at = now()
WHERE id = %s RETURNING version
"""
SAY = """
INSERT INTO messaging_message (id, conversation_id, position, version, sender_id, kind, body)
VALUES (%s, %s, %s, %s, %s, 'text', 'said')
"""
MOVE_WATERMARK = """
UPDATE conversations_participant SET delivered_through = greatest(delivered_through, %s),
    read_through = greatest(read_through, %s) WHERE conversation_id = %s AND user_id = %s
"""
READ_PAGE = """
SELECT m.id, m.body FROM messaging_message m JOIN conversations_participant p USING (conversation_id)
WHERE m.conversation_id = %s AND p.user_id = %s AND m.position > p.visible_from ORDER BY m.position DESC LIMIT 50
"""
SIGN_IN = """
SELECT u.id FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id WHERE s.id = %s AND s.ended_at IS NULL
"""
SEEN = "UPDATE accounts_session SET last_seen_at = now() WHERE id = %s"
CHANGE_PERSON = "UPDATE accounts_user SET version = version + 1 WHERE id = %s"
STATUS = """
INSERT INTO messaging_messagestatus (id, conversation_id, user_id, what, after, through)
VALUES (%s, %s, %s, 'read', 0, %s)
"""
REACT = "INSERT INTO messaging_reaction (message_id, conversation_id, user_id, emoji) VALUES (%s, %s, %s, '+')"
PAUSE = 0.01


LOCK_WAITS = """
SELECT extract(epoch FROM clock_timestamp() - l.waitstart)::float, c.relname FROM pg_locks l
JOIN pg_stat_activity a USING (pid) LEFT JOIN pg_class c ON c.oid = l.relation
WHERE NOT l.granted AND a.application_name = %s ORDER BY 1 DESC NULLS LAST LIMIT 1
"""
NAME = "people"


class Waits:
    """How long people waited for locks, and for statements altogether, as far as a busy machine let them."""

    def __init__(self) -> None:
        self.lock, self.locked = 0.0, "nothing"
        """The longest wait for a lock, in seconds, and the table that was locked."""
        self.statement, self.stated = 0.0, "nothing"
        """The longest statement, and what it did."""
        self.failures: list[str] = []
        self.count = 0

    def add_statement(self, name: str, seconds: float) -> None:
        self.count += 1
        if seconds > self.statement:
            self.statement, self.stated = seconds, name

    def add_lock(self, name: str | None, seconds: float | None) -> None:
        if (seconds or 0) > self.lock:
            self.lock, self.locked = seconds or 0, name or "a row"

    def __str__(self) -> str:
        return (
            f"{self.lock:6.3f} s for {self.locked:28} {self.statement:6.3f} s to {self.stated:22} "
            f"{self.count:5} statements, {self.failures or 'none failed'}"
        )


class Person(threading.Thread):
    """One person of a conversation who writes and reads until told to stop."""

    def __init__(self, waits: Waits, stop: threading.Event, *, conversations: int, tables: set[str]) -> None:
        super().__init__()
        self._waits, self._stop_writing, self._conversations, self._tables = waits, stop, conversations, tables

    def run(self) -> None:
        with connected_as(NAME) as self._on:
            while not self._stop_writing.wait(PAUSE):
                try:
                    self._turn()
                except psycopg.Error as error:
                    self._waits.failures.append(str(error))

    def _turn(self) -> None:
        # The first group is left to long transactions.
        number = random.randrange(1, self._conversations)
        group, person, session = (_id(f"{what} {number}") for what in ("group", "person", "session"))
        said = uuid7()
        self._timed("sign in", SIGN_IN, [session])
        self._timed("read a page", READ_PAGE, [group, person])
        with self._on.transaction():
            version = self._timed("change a conversation", CHANGE_CONVERSATION, [group])[0][0]
            self._timed("insert a message", SAY, [said, group, version, version, person])
            self._timed("move a watermark", MOVE_WATERMARK, [version, version, group, person])
        self._timed("change a session", SEEN, [session])
        self._timed("change a person", CHANGE_PERSON, [person])
        if "messaging_messagestatus" in self._tables:
            self._timed("insert a status", STATUS, [uuid7(), group, person, version])
        if "messaging_reaction" in self._tables:
            self._timed("insert a reaction", REACT, [said, group, person])

    def _timed(self, name: str, statement: str, values: list[Any]) -> list[Any]:
        began = time.monotonic()
        try:
            cursor = self._on.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
        finally:
            self._waits.add_statement(name, time.monotonic() - began)


def _id(text: str) -> uuid.UUID:
    return uuid.UUID(md5(text.encode(), usedforsecurity=False).hexdigest())


class Watch(threading.Thread):
    """Looks again and again how long people have been waiting for locks."""

    def __init__(self, waits: Waits, stop: threading.Event) -> None:
        super().__init__()
        self._waits, self._stop_watching = waits, stop

    def run(self) -> None:
        with connected_as("watch") as watching:
            while not self._stop_watching.wait(PAUSE):
                for seconds, name in watching.execute(LOCK_WAITS, [NAME]):
                    self._waits.add_lock(name, seconds)


def connected_as(name: str) -> "psycopg.Connection[Any]":
    return psycopg.connect(**{**connection_parameters(), "application_name": name}, autocommit=True)


@contextmanager
def people_writing(*, conversations: int, tables: set[str], number: int = 4) -> Iterator[Waits]:
    """Let people write and read while the block lasts, and a moment before and after it."""
    waits, stop = Waits(), threading.Event()
    people = [Person(waits, stop, conversations=conversations, tables=tables) for _ in range(number)]
    threads = [*people, Watch(waits, stop)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    try:
        yield waits
    finally:
        time.sleep(0.1)
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def long_transactions(*statements: str, seconds: float) -> Iterator[None]:
    """Keep transactions open, each idle after a statement, for some seconds or until the block ends."""
    over = threading.Event()
    ready = threading.Barrier(len(statements) + 1)

    def hold(statement: str) -> None:
        with psycopg.connect(**connection_parameters()) as holding:
            holding.execute(statement)
            ready.wait(10)
            over.wait(seconds)

    holders = [threading.Thread(target=hold, args=[statement]) for statement in statements]
    for holder in holders:
        holder.start()
    ready.wait(10)
    try:
        yield
    finally:
        over.set()
        for holder in holders:
            holder.join()
