"""Accounts and sessions, at the commands."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db.models import F

from accounts.auth.password_change import set_password
from accounts.auth.passwords import check_password
from accounts.auth.registration import NameTaken, register
from accounts.auth.sessions import SessionEnded, end_other_sessions, end_session, record_use, start_session
from accounts.auth.token_rotation import refresh_tokens, start_tokens
from accounts.auth.tokens import live_session
from accounts.models import Session, User
from tests.support.together import another_connection, ended_together, on_own_connection, until_blocked

GOOD = "a-rather-long-one"


HERE = "192.0.2.1"


def signs_in(username: str, password: str = GOOD, address: str = HERE) -> User | None:
    return check_password(username=username, password=password, address=address)


@pytest.mark.parametrize("name", ["alice", "Alice", "ALICE"])
@pytest.mark.usefixtures("committed")
def test_a_name_is_folded_to_lower_case_and_found_however_it_is_written(name: str) -> None:
    user = register(username=name, password=GOOD)
    assert user.username == "alice"
    assert signs_in("aLiCe") == user


@pytest.mark.parametrize("name", ["al", "a" * 31, "al ice", "älice", "alice!", "", "alice\n", "ali\0ce"])
@pytest.mark.usefixtures("db")
def test_a_name_that_is_none_makes_nobody(name: str) -> None:
    with pytest.raises(ValidationError):
        register(username=name, password=GOOD)
    assert not User.objects.exists()


@pytest.mark.usefixtures("committed")
def test_the_former_password_begins_no_session_after_it_was_changed() -> None:
    register(username="alice", password=GOOD)
    thief = signs_in("alice")
    assert thief is not None
    set_password(user=User.objects.get(), password="another-one-8")
    with pytest.raises(SessionEnded):
        start_session(user=thief)
    assert not Session.objects.exists()


@pytest.mark.parametrize("password", ["short7!", "12345678901", "password1", "margaret"])
@pytest.mark.usefixtures("db")
def test_a_weak_password_makes_nobody(password: str) -> None:
    with pytest.raises(ValidationError):
        register(username="margaret", password=password)
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["alice", "ALICE"])
def test_a_name_belongs_to_whoever_took_it_first(name: str, alice: User) -> None:
    with pytest.raises(NameTaken):
        register(username=name, password=GOOD)


@pytest.mark.usefixtures("committed")
def test_of_those_who_want_one_name_at_the_same_moment_one_gets_it() -> None:
    ends = ended_together(*[lambda: register(username="alice", password=GOOD)] * 4)
    assert [type(end.exception()) for end in ends if end.exception()] == [NameTaken] * 3
    assert User.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_nobody_gets_in_with_a_wrong_password_or_to_a_closed_account(person: Any) -> None:
    person("alice", GOOD), person("closed", GOOD, is_active=False), person("guest")
    assert signs_in("alice", "another-long-one") is None
    assert signs_in("closed") is None
    assert signs_in("nobody") is None
    assert signs_in("guest", "") is None


def test_ending_a_session_ends_that_one_alone_and_is_told_once(alice: User) -> None:
    phone, laptop = start_session(user=alice, name="phone"), start_session(user=alice, name="laptop")
    end_session(session=phone)
    end_session(session=phone)
    assert live_session(phone.pk) is None
    assert live_session(laptop.pk) == laptop
    assert User.objects.get(pk=alice.pk).version == 1


def test_ending_all_others_leaves_the_one_at_hand(alice: User, bob: User) -> None:
    here, there, other = start_session(user=alice), start_session(user=alice), start_session(user=bob)
    assert [end_other_sessions(session=here) for _ in range(2)] == [1, 0]
    assert [live_session(session.pk) for session in (here, there, other)] == [here, None, other]
    assert User.objects.get(pk=alice.pk).version == 1


@pytest.mark.parametrize("keeps", [True, False])
def test_a_new_password_ends_the_other_sessions(keeps: bool, alice: User) -> None:
    here, there = start_session(user=alice), start_session(user=alice)
    set_password(user=alice, password=GOOD, keep=here if keeps else None)
    assert [live_session(session.pk) for session in (here, there)] == [here if keeps else None, None]
    assert User.objects.get(pk=alice.pk).check_password(GOOD)


def test_a_session_in_use_is_dated_once_a_minute(alice: User) -> None:
    session = start_session(user=alice)
    seen = session.last_seen_at - timedelta(minutes=2)
    Session.objects.update(last_seen_at=seen)
    for _ in range(2):
        session.refresh_from_db()
        record_use(session=session)
    assert Session.objects.get().last_seen_at > seen + timedelta(minutes=1)


def test_a_closed_account_has_no_live_session(alice: User) -> None:
    session = start_session(user=alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert live_session(session.pk) is None


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


def test_a_token_that_was_never_given_ends_the_session(alice: User) -> None:
    session = start_tokens(session=start_session(user=alice))
    with pytest.raises(SessionEnded):
        refresh_tokens(session_id=session.pk, refresh_id=uuid4())
    assert live_session(session.pk) is None


def test_an_ended_session_and_a_closed_account_refresh_nothing(alice: User, bob: User) -> None:
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
