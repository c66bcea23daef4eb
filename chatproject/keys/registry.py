"""The rules of the registry, as statements under one lock: reports, and the promotion of a key.

Redis would not do: an entry that it lost would be a server that nobody waits for.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from chatproject.core.encryption.ring import KeyRing

LOCK = 0x6B657973
"""The number of the advisory lock: "keys" in ASCII."""
DEAD_AFTER = 60.0
"""Seconds without a report after which a process does not count any more."""
LONGEST_GAP = 30.0
"""Seconds without a report after which a process counts as having begun anew."""
WATCHED_FOR = 60.0
"""Seconds for which a process has to have reported before it promotes a key: while the database was away nobody could
report, so who comes back first must not take all others for dead.
"""

ADD = """
INSERT INTO chatproject_encryptionkey (id, state) SELECT t.id, 'known' FROM unnest(%(ids)s::text[]) AS t(id)
ON CONFLICT DO NOTHING
"""
REPORT = """
INSERT INTO chatproject_serverreport AS r (server, kind, key_ids, since, seen_at)
VALUES (%(server)s, %(kind)s, %(ids)s, clock_timestamp(), clock_timestamp())
ON CONFLICT (server) DO UPDATE SET key_ids = EXCLUDED.key_ids, seen_at = EXCLUDED.seen_at,
    since = CASE WHEN r.seen_at < EXCLUDED.seen_at - make_interval(secs => %(gap)s)
        THEN EXCLUDED.seen_at ELSE r.since END
"""
FORGET_DEAD = "DELETE FROM chatproject_serverreport WHERE seen_at < clock_timestamp() - make_interval(secs => %s)"
CURRENT = "SELECT id FROM chatproject_encryptionkey WHERE state = 'current'"
# Of several keys that everyone knows, the first in CHAT_KEYS.
NEXT = """
SELECT k.id FROM unnest(%(newer)s::text[]) WITH ORDINALITY AS n(id, ord) JOIN chatproject_encryptionkey k USING (id)
WHERE k.state = 'known'
    AND NOT EXISTS (SELECT FROM chatproject_serverreport r WHERE NOT r.key_ids @> ARRAY[k.id::varchar])
    AND EXISTS (SELECT FROM chatproject_serverreport r
        WHERE r.server = %(server)s AND r.since <= clock_timestamp() - make_interval(secs => %(watched)s))
ORDER BY n.ord LIMIT 1
"""
RETIRE = "UPDATE chatproject_encryptionkey SET state = 'retired', retired_since = now() WHERE state = 'current'"
PROMOTE = (
    "UPDATE chatproject_encryptionkey SET state = 'current', current_since = now(), retired_since = NULL WHERE id = %s"
)
STATES = "SELECT id, state, fingerprint_subkey FROM chatproject_encryptionkey"


@dataclass(frozen=True, slots=True)
class Registered:
    """What the registry knows: the state of each key, and the fingerprint subkeys that are kept, sealed."""

    states: Mapping[str, str]
    subkeys: Mapping[str, bytes]
    promoted: str | None = None
    """The key that has just become current, if one has."""

    @property
    def current(self) -> str:
        """The id of the key that encrypts."""
        return next(id for id, state in self.states.items() if state == "current")

    def missing(self, ring: KeyRing, *states: str) -> set[str]:
        """Return the keys in these states that a ring does not have."""
        return {id for id, state in self.states.items() if state in states} - set(ids_of(ring))


def ids_of(ring: KeyRing) -> list[str]:
    """Return the ids of the keys of a ring, as they are stored, newest first."""
    return [id.hex() for id in ring.keys]


@contextmanager
def locked(on: "psycopg.Connection[Any]") -> Iterator[None]:
    """Run a transaction in which no other process reports or promotes."""
    with on.transaction():
        on.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield


def report(on: "psycopg.Connection[Any]", *, server: UUID, kind: str, ring: KeyRing) -> Registered:
    """Report which keys a process knows, promote a key that all know, and return what is registered then."""
    ids = ids_of(ring)
    with locked(on):
        current = current_key(on)
        if current is None:
            # Nothing is prepared: what every process has longest is what others can open.
            current = ids[-1]
            begin_with(on, current, ids)
        on.execute(REPORT, {"server": server, "kind": kind, "ids": ids, "gap": LONGEST_GAP})
        forget_dead(on)
        on.execute(ADD, {"ids": ids})
        promoted = _promote(on, server, ids[: ids.index(current)] if current in ids else [])
        return registered(on, promoted=promoted)


def forget_dead(on: "psycopg.Connection[Any]") -> None:
    """Forget the processes that have not reported for so long that nobody waits for them."""
    on.execute(FORGET_DEAD, [DEAD_AFTER])


def withdraw(on: "psycopg.Connection[Any]", server: UUID) -> None:
    """Remove the report of a process, so that nobody waits for it."""
    on.execute("DELETE FROM chatproject_serverreport WHERE server = %s", [server])


def current_key(on: "psycopg.Connection[Any]") -> str | None:
    """Return the id of the current key; None if nothing is registered yet."""
    row = on.execute(CURRENT).fetchone()
    return row[0] if row else None


def begin_with(on: "psycopg.Connection[Any]", current: str, ids: Sequence[str]) -> None:
    """Register the first keys: the current one, those before it as known, and those behind it as former ones."""
    behind = list(ids[ids.index(current) + 1 :]) if current in ids else []
    on.execute(ADD, {"ids": [*ids, current]})
    on.execute(
        "UPDATE chatproject_encryptionkey SET state = 'retired', retired_since = now() WHERE id = ANY(%s)", [behind]
    )
    on.execute(PROMOTE, [current])


def registered(on: "psycopg.Connection[Any]", *, promoted: str | None = None) -> Registered:
    """Read the registry."""
    rows = on.execute(STATES).fetchall()
    return Registered(
        states={id: state for id, state, _ in rows},
        subkeys={id: bytes(subkey) for id, _, subkey in rows if subkey is not None},
        promoted=promoted,
    )


def make_current(on: "psycopg.Connection[Any]", id: str) -> None:
    """Make a key current, whoever knows it; the caller has the lock."""
    on.execute(RETIRE)
    on.execute(PROMOTE, [id])


def _promote(on: "psycopg.Connection[Any]", server: UUID, newer: Sequence[str]) -> str | None:
    """Promote the newest key that every running process knows, if it is newer than the current one."""
    row = on.execute(NEXT, {"newer": list(newer), "server": server, "watched": WATCHED_FOR}).fetchone()
    if row is None:
        return None
    make_current(on, row[0])
    promoted: str = row[0]
    return promoted
