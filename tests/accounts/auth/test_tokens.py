"""What tokens are worth, and which sites may use a cookie."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from pytest_django import Settings

from accounts.auth.sessions import end_session, record_use, start_session
from accounts.auth.token_rotation import refresh_tokens, start_tokens
from accounts.auth.tokens import Unauthenticated, issue_pair, origin_is_allowed, read_refresh, session_of
from accounts.models import Session, User


@pytest.fixture
def session(alice: User) -> Session:
    return start_tokens(session=start_session(user=alice))


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(Unauthenticated) as refused:
        call()
    return str(refused.value.get_codes())


def test_an_access_token_names_its_session_and_person(session: Session, alice: User) -> None:
    assert session_of(issue_pair(session)["access"]).user == alice


def test_two_tabs_are_given_the_same_refresh_token_to_the_letter(session: Session) -> None:
    assert issue_pair(session)["refresh"] == issue_pair(Session.objects.get(pk=session.pk))["refresh"]


def test_the_tokens_of_an_ended_session_are_invalid_at_once(session: Session) -> None:
    access = issue_pair(session)["access"]
    end_session(session=session)
    assert reason(lambda: session_of(access)) == "session_revoked"


def test_an_expired_token_is_refused_as_expired(session: Session) -> None:
    session.refreshed_at = datetime.now(UTC) - timedelta(days=31)
    assert reason(lambda: read_refresh(issue_pair(session)["refresh"])) == "token_expired"


def test_a_repeated_answer_long_after_still_brings_an_access_token_that_works(session: Session) -> None:
    session.refreshed_at = datetime.now(UTC) - timedelta(hours=1)
    assert session_of(issue_pair(session)["access"]) == session


@pytest.mark.parametrize("key", ["access", "refresh"])
def test_access_and_refresh_tokens_are_not_interchangeable(key: str, session: Session) -> None:
    token = issue_pair(session)[key]
    take = read_refresh if key == "access" else session_of
    assert reason(lambda: take(token)) == "not_authenticated"


def test_a_token_with_a_foreign_signature_is_refused(session: Session, settings: Settings) -> None:
    claims = jwt.decode(issue_pair(session)["access"], options={"verify_signature": False})
    forged = [
        jwt.encode(claims, "a key that anyone could have made up", algorithm="HS256"),
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims | {"sid": "1"}, settings.SECRET_KEY, algorithm="HS256"),
        jwt.encode({"exp": claims["exp"], "token_type": "access"}, settings.SECRET_KEY, algorithm="HS256"),
        "",
        "a.b.c",
    ]
    assert [reason(lambda text=text: session_of(text)) for text in forged] == ["not_authenticated"] * len(forged)


def test_the_first_call_with_a_new_token_makes_the_old_refresh_token_worthless(session: Session) -> None:
    old = session.refresh_id
    assert old is not None
    new = refresh_tokens(session_id=session.pk, refresh_id=old)
    session_of(issue_pair(new)["access"])
    record_use(session=new, refresh_id=new.refresh_id)
    assert Session.objects.get(pk=session.pk).refresh_used


@pytest.mark.parametrize(
    ("origin", "site", "allowed"),
    [
        ("http://localhost:8000", "http://localhost:8000", True),
        ("https://chat.example", "https://Chat.example:443/", True),
        ("https://app.example", "http://localhost:8000", True),
        # Another of our names, at the port and by the scheme of the site.
        ("http://127.0.0.1:8000", "http://localhost:8000", True),
        ("http://[::1]:8000", "http://localhost:8000", True),
        ("http://127.0.0.1:6666", "http://localhost:8000", False),
        ("https://localhost:8000", "http://localhost:8000", False),
        ("http://localhost:8000", "https://localhost:8000", False),
        ("http://chat.example", "https://chat.example", False),
        ("http://localhost:9000", "http://localhost:8000", False),
        ("http://other.example.org:8000", "http://localhost:8000", False),
        ("http://evil.example", "http://localhost:8000", False),
        ("http://app.example", "http://localhost:8000", False),
        ("null", "http://localhost:8000", False),
        ("", "http://localhost:8000", False),
        (None, "http://localhost:8000", False),
    ],
)
def test_a_cookie_counts_only_on_pages_of_ours_or_of_a_site_that_is_named(
    origin: str | None, site: str, allowed: bool, settings: Settings
) -> None:
    settings.SITE_URL = site
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", ".example.org", "*"]
    settings.ALLOWED_ORIGINS = ["https://app.example"]
    assert origin_is_allowed(origin) is allowed
