"""What servers of the next release write into Redis in another form is passed over, or read as far as it is known."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from accounts.auth.sessions import start_session
from accounts.auth.socket_tickets import issue_ticket, use_ticket
from accounts.models import User
from accounts.staff.audit_log import Staff
from chatproject.core.redis import redis
from messaging.moderation.connections import count, find_connected
from messaging.presence import queries
from messaging.presence.queries import is_online, key_of, viewers_of

SERVER, ROOM = "next", uuid4()


@pytest.fixture
def written(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Write members as a server of the next release does: `written("sockets", "…")`."""
    servers = f"presence:test:{uuid4()}"
    monkeypatch.setattr(queries, "SERVERS", servers)
    redis().zadd(servers, {SERVER: time.time() * 1000 + 60_000})
    yield lambda kind, *members: redis().zadd(key_of(SERVER, kind), dict.fromkeys(members, 0))
    redis().delete(servers, key_of(SERVER, "sockets"), key_of(SERVER, "open"))


def test_longer_sockets_are_shown_and_sockets_of_another_form_are_not(
    written: Any, staff: User, alice: User, bob: User
) -> None:
    session = uuid4()
    written("sockets", f"{alice.pk.hex}:socket:{session.hex}:1000:phone", f"{bob.pk.hex}:socket", "v2|what|is|this")
    (found,) = find_connected(by=Staff(staff)).items
    assert found["user"]["id"] == str(alice.pk)
    assert [each["session_id"] for each in found["sockets"]] == [str(session)]
    assert count()["connected_sockets"] == 3
    assert is_online(alice.pk)
    assert is_online(bob.pk)


def test_a_longer_view_is_read_and_a_view_of_another_form_is_passed_over(written: Any, alice: User) -> None:
    written("open", f"c:{ROOM.hex}:{alice.pk.hex}:socket:since", f"c:{ROOM.hex}:", f"c:{ROOM.hex}:everyone")
    assert viewers_of(ROOM) == {alice.pk}


def test_a_ticket_of_another_form_opens_nothing(committed: None, alice: User) -> None:
    ticket = issue_ticket(start_session(user=alice, name="a test"))
    (key,) = redis().scan_iter("ticket:*")
    redis().set(key, '{"session": 1}')
    assert use_ticket(ticket) is None
