"""Output for the person at the terminal."""

import os
import sys
from contextlib import suppress

import psycopg

from chatproject.exposure import DEMO_PASSWORD, DEMO_PEOPLE, Address


def show(text: str) -> None:
    """Print a text; if the terminal is closed or the pipe broken, print this and everything that follows to nobody."""
    try:
        print(text, flush=True)
    except OSError:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a path of the system's)
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def ready_message(address: Address, database_url: str, *, shows_demo: bool) -> str:
    """Write where the page is and, if the demo's people exist and may be shown, how to sign in as one of them."""
    lines = [f"Parley is at {address}"]
    if shows_demo and has_demo_people(database_url):
        lines.append(f"Sign in as {', '.join(DEMO_PEOPLE[:-1])} or {DEMO_PEOPLE[-1]}, password {DEMO_PASSWORD}")
    return "\n".join([*lines, "Ctrl-C ends it."])


def has_demo_people(database_url: str) -> bool:
    """Tell whether the demo's people are in the database."""
    query = "SELECT count(*) FROM accounts_user WHERE username = ANY(%s)"
    with suppress(psycopg.Error), psycopg.connect(database_url, connect_timeout=2) as connection:
        found = connection.execute(query, [list(DEMO_PEOPLE)]).fetchone()
        return bool(found and found[0] == len(DEMO_PEOPLE))
    return False
