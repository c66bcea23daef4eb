"""Commands that start, use and end sessions."""

from datetime import timedelta

import pytest

from accounts.auth.password_change import set_password
from accounts.auth.registration import register
from accounts.auth.sessions import SessionEnded, end_other_sessions, end_session, record_use, start_session
from accounts.auth.tokens import live_session
from accounts.models import Session, User
from tests.accounts.auth.test_registration import GOOD, signs_in


@pytest.mark.usefixtures("committed")
def test_the_former_password_starts_no_session_after_a_change() -> None:
    register(username="alice", password=GOOD)
    thief = signs_in("alice")
    assert thief is not None
    set_password(user=User.objects.get(), password="another-one-8")
    with pytest.raises(SessionEnded):
        start_session(user=thief)
    assert not Session.objects.exists()


def test_ending_a_session_ends_only_that_one_and_is_published_once(alice: User) -> None:
    phone, laptop = start_session(user=alice, name="phone"), start_session(user=alice, name="laptop")
    end_session(session=phone)
    end_session(session=phone)
    assert live_session(phone.pk) is None
    assert live_session(laptop.pk) == laptop
    assert User.objects.get(pk=alice.pk).version == 1


def test_ending_all_other_sessions_keeps_the_current_one(alice: User, bob: User) -> None:
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


def test_the_use_of_a_session_is_recorded_once_a_minute(alice: User) -> None:
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
