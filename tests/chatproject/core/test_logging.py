"""The log says what happened, but neither who did it nor the text of any message."""

import logging
from collections.abc import Callable, Iterator
from contextvars import copy_context
from io import StringIO
from typing import Any

import orjson
import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client as Page
from django.urls import path

from accounts.models import User
from chatproject.core.logging import JSONFormatter, TextFormatter, configuration, socket_id


def fails(request: HttpRequest, token: str) -> HttpResponse:
    raise KeyError(request.POST["text"])


def handler500(request: HttpRequest) -> HttpResponse:
    return HttpResponse("We are sorry.", status=500)


urlpatterns = [path("links/<token>/accept", fails)]


class Log:
    """What has been logged, in one of the forms."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self.stream = StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(formatter)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def line(self) -> dict[str, Any]:
        """The last line."""
        return dict(orjson.loads(self.text.splitlines()[-1]))


@pytest.fixture
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """Capture everything that is logged, in JSON unless the test asks for another format."""
    log = Log(getattr(request, "param", None) or JSONFormatter())
    logging.getLogger().addHandler(log.handler)
    yield log
    logging.getLogger().removeHandler(log.handler)


ours = logging.getLogger("messaging.somewhere")


def error_of(call: Callable[[], Any]) -> Exception:
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("it went well")


def test_a_line_says_when_where_and_what(log: Log) -> None:
    ours.warning("the partition %s is in use", "2026w05")
    said = log.line
    assert said.pop("time").endswith("Z")
    assert said == {"level": "warning", "logger": "messaging.somewhere", "message": "the partition 2026w05 is in use"}


def test_a_line_of_a_socket_says_of_which(log: Log) -> None:
    def in_a_socket() -> None:
        socket_id.set("the-socket")
        ours.error("failed")

    copy_context().run(in_a_socket)
    assert log.line["socket_id"] == "the-socket"


def test_a_row_that_the_database_refused_is_not_quoted(log: Log, alice: User) -> None:
    error = error_of(lambda: User.objects.create_user("alice"))
    assert "alice" in str(error)
    ours.error("a request failed", exc_info=error)
    assert log.line["exception"][-1] == "IntegrityError 23505"
    assert any(line.startswith("accounts/models/") for line in log.line["exception"])
    assert "alice" not in log.text


def test_an_exception_within_a_message_is_named_only(log: Log, alice: User) -> None:
    error = error_of(lambda: User.objects.create_user("alice"))
    ours.error("a batch of %d could not be appended: %s", 3, error)
    assert log.line["message"] == "a batch of 3 could not be appended: IntegrityError 23505"
    ours.error(error)
    assert log.line["message"] == "IntegrityError 23505"


@pytest.mark.usefixtures("db")
def test_what_an_exception_says_of_machines_is_told(log: Log) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '10ms'")
        error = error_of(lambda: cursor.execute("SELECT pg_sleep(1)"))
    ours.warning("it took too long: %s", error)
    expected = "it took too long: OperationalError 57014: canceling statement due to statement timeout"
    assert isinstance(error, OperationalError)
    assert log.line["message"] == expected


def test_the_cause_of_an_exception_is_logged_before_it(log: Log) -> None:
    def cause() -> None:
        try:
            int("alice")
        except ValueError as error:
            raise KeyError("alice") from error

    ours.error("failed", exc_info=error_of(cause))
    kinds = [line for line in log.line["exception"] if ":" not in line]
    assert kinds == ["ValueError", "KeyError"]
    assert "alice" not in log.text


def test_a_group_of_exceptions_shows_each(log: Log) -> None:
    ours.error("failed", exc_info=ExceptionGroup("some", [ValueError("alice"), KeyError("bob")]))
    assert log.line["exception"] == ["ValueError", "KeyError", "ExceptionGroup"]


@pytest.mark.urls(__name__)
@pytest.mark.usefixtures("db")
def test_a_request_that_failed_is_named_by_its_route_and_id(log: Log) -> None:
    client = Page(raise_request_exception=False)
    answer = client.post(
        "/links/a-secret/accept?ticket=another", {"text": "private"}, headers={"X-Request-ID": "mine-0001"}
    )
    assert answer.status_code == 500
    said = log.line
    assert (said["message"], said["request_id"]) == ("POST links/<token>/accept: 500", "mine-0001")
    assert said["exception"][-1] == "KeyError"
    for secret in ("a-secret", "another", "private"):
        assert secret not in log.text


@pytest.mark.parametrize(
    ("logger", "message", "extra", "expected"),
    [
        ("django.security.DisallowedHost", "Invalid HTTP_HOST header: 'alice.example'", {}, "a request was refused"),
        (
            "procrastinate.worker",
            "Job tell[7](user='alice') ended with status: Error",
            {"action": "job_error", "job": {"task_name": "tell", "id": 7, "call_string": "tell(user='alice')"}},
            "job_error tell 7",
        ),
        (
            "asyncio",
            "Task exception was never retrieved\nfuture: KeyError('alice')",
            {},
            "Task exception was never retrieved",
        ),
        ("somebody.else", "first\nalice", {}, "first"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_what_other_peoples_code_says_is_cut_to_what_names_nobody(
    log: Log, logger: str, message: str, extra: dict[str, Any], expected: str
) -> None:
    logging.getLogger(logger).error(message, extra=extra)
    assert log.line["message"] == expected
    assert "alice" not in log.text


@pytest.mark.parametrize("log", [TextFormatter()], indirect=True)
def test_people_at_a_terminal_get_readable_lines(log: Log) -> None:
    ours.error("failed", exc_info=error_of(lambda: {}["alice"]))
    first, *way, last = log.text.splitlines()
    assert first == "ERROR messaging.somewhere: failed"
    assert way
    assert last == "    KeyError"


@pytest.mark.parametrize("log", [TextFormatter(reveal=True)], indirect=True)
def test_with_debug_everything_is_shown(log: Log) -> None:
    ours.error("failed", exc_info=error_of(lambda: {}["alice"]))
    assert log.text.splitlines()[-1].strip() == "KeyError: 'alice'"


@pytest.mark.parametrize(
    ("form", "debug", "expected"),
    [
        ("", False, JSONFormatter),
        ("", True, TextFormatter),
        ("text", False, TextFormatter),
        ("json", True, JSONFormatter),
    ],
)
def test_machines_get_json_by_default(form: str, debug: bool, expected: type[logging.Formatter]) -> None:
    assert configuration(form, debug=debug)["formatters"]["line"] == {"()": expected, "reveal": debug}
