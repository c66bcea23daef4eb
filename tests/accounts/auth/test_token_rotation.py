"""Rotation of refresh tokens: each one is exchanged once, and a stolen one ends the session."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db.models import F

from accounts.auth.sessions import SessionEnded, end_session, record_use, start_session
from accounts.auth.token_rotation import refresh_tokens, start_tokens
from accounts.auth.tokens import live_session
from accounts.models import Session, User
from tests.support.together import another_connection, on_own_connection, until_blocked


class Device:
    """A device that remembers every pair of tokens it was ever given: pair 1, pair 2, …"""

    def __init__(self, user: User) -> None:
        self.session = start_tokens(session=start_session(user=user))
        self.pairs = [self.session.refresh_id]

    def refreshes(self, pair: int) -> int:
        """Offer a pair's refresh token; give the number of the pair that comes back."""
        given = refresh_tokens(session_id=self.session.pk, refresh_id=self.pairs[pair - 1]).refresh_id
        if given not in self.pairs:
            self.pairs.append(given)
        return self.pairs.index(given) + 1

    def uses(self, pair: int) -> None:
        """Make a call with a pair's access token."""
        record_use(session=Session.objects.get(pk=self.session.pk), refresh_id=self.pairs[pair - 1])

    def waits(self, seconds: int) -> None:
        """Let the newest pair be so much older."""
        Session.objects.filter(pk=self.session.pk).update(refreshed_at=F("refreshed_at") - timedelta(seconds=seconds))


ENDED = 0


@pytest.mark.parametrize(
    ("before", "offered", "answer"),
    [
        pytest.param("", 1, 2, id="the newest leads to the next pair"),
        pytest.param("use 1", 1, 2, id="whether it was used or not"),
        pytest.param("refresh 1", 1, 2, id="a lost answer is given again"),
        pytest.param("refresh 1, refresh 1, refresh 1", 1, 2, id="many tabs get the same"),
        pytest.param("refresh 1, refresh 1", 2, 3, id="two tabs go on together"),
        pytest.param("refresh 1, use 1", 1, 2, id="an old access token says nothing of the new pair"),
        pytest.param("refresh 1, refresh 2", 2, 3, id="an answer may be lost at any turn"),
        pytest.param("refresh 1, use 2", 2, 3, id="a pair in use goes on"),
        pytest.param("refresh 1, use 2", 1, ENDED, id="theft: the new pair is in use"),
        pytest.param("refresh 1, refresh 2", 1, ENDED, id="theft: the new pair was refreshed"),
        pytest.param("refresh 1, refresh 2, refresh 3", 1, ENDED, id="theft: a token from long ago"),
        pytest.param("refresh 1, use 2, steal 1", 2, ENDED, id="after a theft the owner is out too"),
        pytest.param("refresh 1, wait 40", 1, 2, id="an answer may be lost for a minute"),
        pytest.param("refresh 1, wait 61", 1, ENDED, id="theft: a copy follows its owner for a minute at most"),
        pytest.param("refresh 1, wait 61, steal 1", 2, ENDED, id="and the owner signs in anew"),
        pytest.param("refresh 1, refresh 1, wait 61", 1, ENDED, id="repeating it does not make the minute longer"),
        pytest.param("refresh 1, wait 61", 2, 3, id="the newest pair is good for longer"),
    ],
)
def test_refresh_tokens_rotate_and_a_stolen_one_ends_the_session(
    before: str, offered: int, answer: int, alice: User
) -> None:
    device = Device(alice)
    for step in filter(None, before.split(", ")):
        _do(device, *step.split())
    if answer == ENDED:
        with pytest.raises(SessionEnded):
            device.refreshes(offered)
        assert live_session(device.session.pk) is None
    else:
        assert device.refreshes(offered) == answer


def _do(device: Device, what: str, pair: str) -> None:
    if what == "use":
        device.uses(int(pair))
    elif what == "refresh":
        device.refreshes(int(pair))
    elif what == "wait":
        device.waits(int(pair))
    else:
        with pytest.raises(SessionEnded):
            device.refreshes(int(pair))


def test_a_refresh_token_that_was_never_issued_ends_the_session(alice: User) -> None:
    session = start_tokens(session=start_session(user=alice))
    with pytest.raises(SessionEnded):
        refresh_tokens(session_id=session.pk, refresh_id=uuid4())
    assert live_session(session.pk) is None


def test_an_ended_session_and_a_closed_account_cannot_refresh(alice: User, bob: User) -> None:
    ended, closed = Device(alice), Device(bob)
    end_session(session=ended.session)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    for device in (ended, closed):
        with pytest.raises(SessionEnded):
            device.refreshes(1)


@pytest.mark.usefixtures("committed")
def test_tabs_that_refresh_at_the_same_moment_get_the_same_pair(alice: User) -> None:
    session = start_tokens(session=start_session(user=alice))
    first = session.refresh_id

    def refresh() -> UUID | None:
        return refresh_tokens(session_id=session.pk, refresh_id=first).refresh_id

    with another_connection() as holding, ThreadPoolExecutor() as pool:
        holding.execute("SELECT 1 FROM accounts_session FOR UPDATE")
        tabs = [pool.submit(on_own_connection, refresh) for _ in range(4)]
        until_blocked(4)
        holding.rollback()
    pairs = {tab.result() for tab in tabs}
    assert len(pairs) == 1
    assert first not in pairs
