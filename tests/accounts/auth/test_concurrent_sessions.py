"""Sessions that are ended, changed and refreshed at the same time: no two transactions deadlock."""

from functools import partial

import pytest

from accounts.auth.password_change import set_password
from accounts.auth.sessions import end_session, start_session
from accounts.auth.token_rotation import refresh_tokens, start_tokens
from accounts.models import Session, User
from tests.support.together import ended_together

pytestmark = pytest.mark.usefixtures("committed")


def test_concurrent_commands_on_sessions_do_not_deadlock(alice: User) -> None:
    failures = []
    for _ in range(12):
        sessions = [start_tokens(session=start_session(user=alice)) for _ in range(5)]
        kept, *others = sessions
        stale = partial(refresh_tokens, session_id=others[0].pk, refresh_id=kept.pk)
        calls = [partial(end_session, session=session) for session in others[1:]]
        change = partial(set_password, user=alice, password="another-one-8", keep=kept)
        failures += [ended.exception() for ended in ended_together(*calls, change, stale)]
    assert {type(failure).__name__ for failure in failures if failure} <= {"SessionEnded"}
    assert not Session.objects.filter(user=alice, ended_at=None).exclude(pk=kept.pk).exists()
