"""Example calls of the API: paths with valid bodies, and values that are invalid for a kind of field."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from tests.support.ids import minted

Call = tuple[str, dict[str, Any]]


V4 = str(uuid4())
UNKNOWN = str(uuid7())
LONG_AGO, AHEAD = minted(-timedelta(days=7, minutes=1)), minted(timedelta(hours=1))
BEYOND = "ffffffff-ffff-7fff-bfff-ffffffffffff"
"""An id whose time no datetime can hold."""
CONVERSATION, BOB, ALICE = "{conversation}", "{bob}", "{alice}"

REGISTER = ("/auth/register", {"username": "newcomer", "password": "a secret nobody guesses"})
TOKEN = ("/auth/token", {"username": "alice", "password": "whatever"})
REFRESH = ("/auth/token/refresh", {"refresh": "x"})
PASSWORD = ("/auth/password", {"old_password": "whatever", "new_password": "a secret nobody guesses"})
DIRECT = ("/conversations", {"kind": "direct", "to": {"username": "bob"}})
GROUP = ("/conversations", {"kind": "group", "name": "Garden", "participants": [{"username": "bob"}]})
MESSAGE = ("/messages", {"conversation_id": CONVERSATION, "text": "Hi"})
LETTER = ("/messages", {"receiver_id": BOB, "text": "Hi"})
READ = ("/conversations/{conversation}/read", {"through": 0})
MEMBERS = ("/conversations/{conversation}/participants", {"users": [{"username": "bob"}]})
TRANSFER = ("/conversations/{conversation}/transfer", {"to": {"username": "bob"}})
LINK: Call = ("/conversations/{conversation}/invite-links", {})

NO_TEXT = [5, 1.5, True, None, [], ["x"], {}, {"a": 1}]
NO_ID = [5, True, [], {}, "", "x", V4, UUID(V4).hex, UUID(UNKNOWN).hex, f"{{{UNKNOWN}}}", f" {UNKNOWN}", "0" * 32]
NO_REFERENCE = [
    5,
    "bob",
    True,
    None,
    [],
    {},
    {"name": "bob"},
    {"id": V4},
    {"id": 5},
    {"username": 5},
    {"username": None},
    {"username": "b\0b"},
    {"username": "bob", "id": UNKNOWN},
    {"wallet": "0x00"},
    {"wallet": "0x" + "Ab" * 20},
    {"wallet": "0X" + "ab" * 20},
]
NO_LIST = [5, "x", True, None, {}, {"a": 1}]
NO_CHOICE = [5, True, None, "", "x", [], {}]
NO_NUMBER = ["5", "", -1, 1.5, True, None, [], {}, 2**63, 10**30]

NO_MOMENT = [5, 1.5, True, [], {}, "", "x", "2999-01-01", "2999-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "2999"]


def filled(body: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {name: names.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
