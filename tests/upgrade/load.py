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


class Waits:
    """How long statements took, by what they did: the longest, and how many there were."""

    def __init__(self) -> None:
        self.longest: dict[str, float] = {}
        self.failures: list[str] = []
        self.count = 0

    def add(self, name: str, seconds: float) -> None:
        self.count += 1
        self.longest[name] = max(self.longest.get(name, 0), seconds)

    @property
    def worst(self) -> tuple[float, str]:
        """The longest wait of a single statement, and what it did."""
        return max(((seconds, name) for name, seconds in self.longest.items()), default=(0.0, "nothing"))


class Person(threading.Thread):
    """One person of a conversation who writes and reads until told to stop."""

    def __init__(self, waits: Waits, stop: threading.Event, *, conversations: int, tables: set[str]) -> None:
        super().__init__()
        self._waits, self._stop_writing, self._conversations, self._tables = waits, stop, conversations, tables

    def run(self) -> None:
        with psycopg.connect(**connection_parameters(), autocommit=True) as self._on:
            while not self._stop_writing.wait(PAUSE):
                try:
                    self._turn()
                except psycopg.Error as error:
                    self._waits.failures.append(str(error))

    def _turn(self) -> None:
        number = random.randrange(self._conversations)
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
            self._waits.add(name, time.monotonic() - began)


def _id(text: str) -> uuid.UUID:
    return uuid.UUID(md5(text.encode(), usedforsecurity=False).hexdigest())


@contextmanager
def people_writing(*, conversations: int, tables: set[str], number: int = 4) -> Iterator[Waits]:
    """Let people write and read while the block lasts, and a moment before and after it."""
    waits, stop = Waits(), threading.Event()
    people = [Person(waits, stop, conversations=conversations, tables=tables) for _ in range(number)]
    for person in people:
        person.start()
    time.sleep(0.1)
    try:
        yield waits
    finally:
        time.sleep(0.1)
        stop.set()
        for person in people:
            person.join()


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
