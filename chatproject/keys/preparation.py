"""The first entries of the registry, and changes by hand: what commands do before or beside the server processes."""

from typing import Any

import psycopg
from django.core.management import CommandError
from django.db import connection

from chatproject.core.encryption.ring import KeyRing, ring
from chatproject.keys.former_subkeys import keep_subkeys
from chatproject.keys.registry import (
    ADD,
    Registered,
    begin_with,
    current_key,
    forget_dead,
    ids_of,
    locked,
    make_current,
    registered,
)

UNAWARE = "SELECT server FROM chatproject_serverreport WHERE NOT key_ids @> ARRAY[%s::varchar]"


class UnknownKey(CommandError):
    """The current key is none of this process's CHAT_KEYS: it could not read what the others seal. Ends a command."""

    def __init__(self, id: str) -> None:
        super().__init__(
            f"The key {id}, with which messages are encrypted, is not in CHAT_KEYS. Put it there: every server needs "
            "it. If it is lost for ever, see “Keys” in docs/operations.md."
        )


def prepare_keys(*, sealed_with: bytes | None) -> None:
    """Register the keys of this process before any server starts; `sealed_with` is the key of the newest sealed row.

    Raises UnknownKey if the current key is not among them.
    """
    keys = ring()
    found = register(own_connection(), keys, sealed_with=sealed_with)
    if found.missing(keys, "current"):
        raise UnknownKey(found.current)
    keys.set_current(bytes.fromhex(found.current))


def register(on: "psycopg.Connection[Any]", keys: KeyRing, *, sealed_with: bytes | None) -> Registered:
    """Register the keys of a ring, and return what is registered then.

    Where nothing is registered yet, the key that sealed the newest row becomes current, because servers may be running
    that have no other; on an empty database the newest key does.
    """
    ids = ids_of(keys)
    with locked(on):
        if current_key(on) is None:
            begin_with(on, sealed_with.hex() if sealed_with else ids[0], ids)
            if sealed_with:
                keep_subkeys(on, keys)
        on.execute(ADD, {"ids": ids})
        return registered(on)


def make_current_by_hand(id: str) -> None:
    """Make a key current although the former one may be lost. ValueError unless it is in CHAT_KEYS of every server."""
    on, keys = own_connection(), ring()
    if id not in ids_of(keys):
        raise ValueError(f"There is no key {id} in CHAT_KEYS.")
    with locked(on):
        forget_dead(on)
        if unaware := on.execute(UNAWARE, [id]).fetchall():
            raise ValueError(f"{len(unaware)} running servers do not know this key: put it into their CHAT_KEYS first.")
        on.execute(ADD, {"ids": [id]})
        make_current(on, id)


def own_connection() -> "psycopg.Connection[Any]":
    """Return the connection of this thread that Django uses."""
    connection.ensure_connection()
    on: psycopg.Connection[Any] = connection.connection
    return on
