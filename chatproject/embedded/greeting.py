"""What a person at the terminal wants to know: where the page is, and how to sign in."""

import http.client
import os
import sys
from contextlib import suppress

import psycopg

from chatproject.exposure import DEMO_PASSWORD, DEMO_PEOPLE

from .address import Address


def say(text: str) -> None:
    """Tell the person something; if the terminal is closed or the pipe broken, go on talking to nobody."""
    try:
        print(text, flush=True)
    except OSError:
        with open(os.devnull, "wb") as nobody:  # noqa: PTH123 (a path of the system's)
            os.dup2(nobody.fileno(), sys.stdout.fileno())


def page_answers(address: Address) -> bool:
    """Tell whether the web server answers."""
    connection = http.client.HTTPConnection(str(address).removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def greeting(address: Address, database_url: str, *, shows_demo: bool) -> str:
    """Return the address and, when the demo's people are there and may be shown, how to be one of them."""
    lines = [f"Parley is at {address}"]
    if shows_demo and has_cast(database_url):
        lines.append(f"Sign in as {', '.join(DEMO_PEOPLE[:-1])} or {DEMO_PEOPLE[-1]}, password {DEMO_PASSWORD}")
    return "\n".join([*lines, "Ctrl-C ends it."])


def has_cast(database_url: str) -> bool:
    """Tell whether the people of the demo are in the database."""
    query = "SELECT count(*) FROM accounts_user WHERE username = ANY(%s)"
    with suppress(psycopg.Error), psycopg.connect(database_url, connect_timeout=2) as connection:
        found = connection.execute(query, [list(DEMO_PEOPLE)]).fetchone()
        return bool(found and found[0] == len(DEMO_PEOPLE))
    return False
