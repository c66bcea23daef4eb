"""`manage.py check --deploy`: every dangerous mistake is reported."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import checks
from django.db import connection

from messaging.management.demo.cast import PASSWORD
from messaging.media.sanitizer.runner import measures
from messaging.retention.partitions import make_partitions, name_of, partitions

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
RIGHT: dict[str, Any] = {
    "HAS_SECRET_KEY": True,
    "SECRET_KEY": "a-long-one-of-many-letters-that-nobody-guesses-0123456789",
    "CHAT_KEYS": [KEY],
    "DEBUG": False,
    "SITE_URL": "https://chat.example",
    "ALLOWED_HOSTS": ["chat.example"],
    "ALLOWED_ORIGINS": ["https://app.example", "https://app.example:8443", "https://[::1]:8443"],
    "BEHIND_TLS": True,
    "TRUSTED_PROXIES": ["10.0.0.7", "10.1.0.0/16", "::1"],
    "CHAT_LIMITS": True,
    "EXPOSED_BY": ["HOST"],
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
}


@pytest.fixture(scope="module")
def measured() -> dict[str, bool]:
    """What the sandbox of this machine can do: it does not depend on settings, and a sandbox takes long to start."""
    return measures()


@pytest.fixture
def found(db: None, settings: Any, measured: dict[str, bool], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Check a deployment that is correct but for the given settings; return the ids of its findings, each once."""

    monkeypatch.setattr("chatproject.checks.measures", lambda: measured)

    def look(**wrong: Any) -> set[str]:
        for name, value in {**RIGHT, **wrong}.items():
            setattr(settings, name, value)
        messages = checks.run_checks(include_deployment_checks=True)
        return {str(message.id) for message in messages if not message.is_silenced()}

    return look


def test_a_correct_deployment_has_no_findings(found: Any) -> None:
    assert found() == set()


@pytest.mark.parametrize(
    ("id", "wrong"),
    [
        ("parley.E001", {"HAS_SECRET_KEY": False}),
        ("parley.E001", {"SECRET_KEY": "short"}),
        ("parley.E001", {"SECRET_KEY": "ab" * 50}),
        ("parley.E002", {"CHAT_KEYS": []}),
        ("parley.E002", {"CHAT_KEYS": ["c2hvcnQ="]}),
        ("parley.E002", {"CHAT_KEYS": [KEY, "é"]}),
        ("parley.E002", {"CHAT_KEYS": [KEY[:-1]]}),
        ("parley.E008", {"TRUSTED_PROXIES": ["10.0.0.7", "0.0.0.0/0"]}),
        ("parley.E008", {"TRUSTED_PROXIES": ["::/0"]}),
        ("parley.E003", {"ALLOWED_HOSTS": ["chat.example", "*"]}),
        ("parley.E003", {"ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"]}),
        ("parley.E003", {"ALLOWED_HOSTS": ["localhost"], "EXPOSED_BY": ["BEHIND_TLS"]}),
        ("parley.E004", {"ALLOWED_ORIGINS": ["http://app.example"]}),
        ("parley.E004", {"ALLOWED_ORIGINS": ["https://app.example/"]}),
        ("parley.E004", {"ALLOWED_ORIGINS": ["https://*"]}),
        ("parley.E005", {"DEBUG": True}),
        ("parley.E009", {"SITE_URL": "http://0.0.0.0:8000"}),
        ("parley.E008", {"TRUSTED_PROXIES": ["proxy.example"]}),
        ("parley.W002", {"BEHIND_TLS": False}),
        ("parley.W003", {"CHAT_LIMITS": False}),
        ("parley.W005", {"TRUSTED_PROXIES": []}),
        ("parley.W006", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_every_mistake_is_named(found: Any, id: str, wrong: dict[str, Any]) -> None:
    assert found(**wrong) == {id}


def test_a_server_for_this_machine_alone_needs_no_name(found: Any) -> None:
    assert found(EXPOSED_BY=[], ALLOWED_HOSTS=["localhost"], BEHIND_TLS=False) == {"parley.W002"}


def test_the_demos_people_are_found_in_the_database(found: Any, person: Any) -> None:
    staff = person("staff", PASSWORD, is_staff=True)
    assert found() == {"parley.E010"}
    staff.set_password("a secret nobody guesses")
    staff.save()
    assert found() == set()


def test_too_few_weeks_ahead_are_an_error(found: Any) -> None:
    with connection.cursor() as cursor:
        for name in sorted(partitions())[3:]:
            cursor.execute(f"DROP TABLE {name}")
    assert found() == {"parley.E007"}


def test_a_week_past_its_time_says_that_nobody_does_the_jobs(found: Any) -> None:
    old = datetime(2024, 1, 1, tzinfo=UTC)
    make_partitions(now=old, behind=0, ahead=0)
    assert name_of(old) in partitions()
    assert found() == {"parley.W001"}


def test_they_are_asked_for_deployments_only(db: None, settings: Any) -> None:
    settings.CHAT_KEYS = []
    assert not [message for message in checks.run_checks() if str(message.id).startswith("parley")]
