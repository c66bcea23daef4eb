"""The people of the demo: for trying it out, not for a server that others can reach."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.auth.sessions import start_session
from accounts.models import Session, User
from chatproject.core.errors import NotAllowed
from chatproject.embedded.__main__ import wants_demo
from chatproject.embedded.console import ready_message
from chatproject.embedded.errors import CannotRun
from chatproject.exposure import Address
from chatproject.lifespan import lifespan
from messaging.management.demo.cast import CAST, PASSWORD
from messaging.management.demo.open_accounts import open_demo_accounts
from tests.accounts.visitor import Visitor, words

BEHIND_A_PROXY = {"BEHIND_TLS": "1", "TRUSTED_PROXIES": "127.0.0.1", "SITE_URL": "https://chat.example"}


@pytest.mark.parametrize(
    ("environ", "made"),
    [
        ({}, True),
        ({"HOST": "localhost"}, True),
        ({"HOST": "0.0.0.0"}, False),  # noqa: S104 (nobody listens)
        (BEHIND_A_PROXY, False),
        ({"ALLOWED_HOSTS": "*"}, False),
        ({"DATABASE_URL": "postgresql://elsewhere/chat"}, False),
        ({"CHAT_DEMO": "0"}, False),
        ({"CHAT_DEMO": "0", **BEHIND_A_PROXY}, False),
    ],
)
def test_they_are_made_unasked_where_nobody_else_gets_in(environ: dict[str, str], made: bool) -> None:
    assert wants_demo(environ) is made


def test_a_site_for_others_is_told_why_they_are_missing(capsys: Any) -> None:
    wants_demo(BEHIND_A_PROXY)
    assert "SITE_URL, BEHIND_TLS, TRUSTED_PROXIES" in capsys.readouterr().out


def test_a_site_for_others_does_not_start_when_they_are_asked_for() -> None:
    with pytest.raises(CannotRun, match="Take CHAT_DEMO out"):
        wants_demo({"CHAT_DEMO": "1", **BEHIND_A_PROXY})


def test_none_of_them_may_do_everything() -> None:
    assert not any(fields.get("is_superuser") for fields in CAST.values())


def test_a_site_for_others_does_not_print_the_password() -> None:
    assert PASSWORD not in ready_message(Address("127.0.0.1", 8000), "postgresql://nowhere", shows_demo=False)


@pytest.fixture
def cast(person: Any) -> dict[str, User]:
    return {name: person(name, PASSWORD, **fields) for name, fields in CAST.items()}


def test_those_are_found_as_whom_everyone_can_sign_in(cast: dict[str, User]) -> None:
    cast["alice"].set_password("a secret nobody guesses")
    cast["alice"].save()
    User.objects.filter(username="bob").update(suspended_at=cast["bob"].date_joined)
    assert open_demo_accounts() == ["carol", "staff"]


@pytest.mark.parametrize("address", ["203.0.113.7", "10.0.0.9", "::ffff:192.0.2.1"])
def test_they_sign_in_from_no_other_machine(cast: dict[str, User], address: str) -> None:
    with pytest.raises(NotAllowed):
        start_session(user=cast["staff"], ip=address)
    cast["staff"].set_password("a secret nobody guesses")
    cast["staff"].save()
    assert start_session(user=cast["staff"], ip=address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_they_sign_in_on_this_machine(cast: dict[str, User], address: str) -> None:
    assert start_session(user=cast["staff"], ip=address)


def test_the_page_says_why_one_of_them_is_not_let_in(cast: dict[str, User]) -> None:
    visitor = Visitor()
    visitor.client.defaults["REMOTE_ADDR"] = "203.0.113.7"
    assert "The demo's people can sign in only on the machine" in words(visitor.sign_in("staff", PASSWORD))
    assert not visitor.is_in


@pytest.mark.usefixtures("cast")
def test_prepare_refuses_to_open_a_site_with_them(settings: Any) -> None:
    settings.EXPOSED_BY = ["BEHIND_TLS"]
    with pytest.raises(CommandError, match=r"alice, bob, carol, staff\..*make remove-demo"):
        call_command("prepare")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["prepare", "seed"])
def test_they_are_not_made_on_a_site_for_others(settings: Any, name: str) -> None:
    settings.EXPOSED_BY, settings.CHAT_DEMO = ["HOST"], True
    with pytest.raises(CommandError, match="Others can reach this site"):
        call_command(name)
    assert not User.objects.exists()


@pytest.mark.usefixtures("cast")
def test_once_they_are_removed_the_site_opens(cast: dict[str, User], settings: Any) -> None:
    start_session(user=cast["staff"])
    settings.EXPOSED_BY = ["BEHIND_TLS"]
    call_command("remove_demo")
    call_command("prepare")
    assert not User.objects.filter(username__in=CAST).exists()
    assert not Session.objects.filter(ended_at=None).exists()


@pytest.mark.usefixtures("cast")
def test_a_demo_person_with_another_password_is_removed_by_name(cast: dict[str, User]) -> None:
    cast["staff"].set_password("a secret nobody guesses")
    cast["staff"].save()
    call_command("remove_demo")
    assert list(User.objects.filter(username__in=CAST).values_list("username", flat=True)) == ["staff"]
    call_command("remove_demo", "staff")
    assert not User.objects.filter(username__in=CAST).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["mallory", "alice"])
def test_nobody_else_is_removed(person: Any, name: str) -> None:
    person("mallory")
    with pytest.raises(CommandError):
        call_command("remove_demo", name)
    assert User.objects.get().is_active


async def begin() -> dict[str, Any]:
    """Start the server's lifespan, and return its first answer."""
    answers: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.shutdown" if answers else "lifespan.startup"}

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    await lifespan({}, receive, send)
    return answers[0]


@pytest.mark.parametrize(("exposed_by", "answer"), [([], "complete"), (["BEHIND_TLS"], "failed")])
async def test_the_server_itself_does_not_start_with_them(
    committed: None, cast: dict[str, User], settings: Any, exposed_by: list[str], answer: str
) -> None:
    settings.EXPOSED_BY = exposed_by
    assert (await begin())["type"] == f"lifespan.startup.{answer}"
