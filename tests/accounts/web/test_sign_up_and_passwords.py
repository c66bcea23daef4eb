"""Sign-up by the pages, and the mail that confirms addresses and resets passwords."""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from tests.accounts.visitor import PASSWORD, Visitor, here, link_in, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unhurried")]

SECRET = {"password1": PASSWORD, "password2": PASSWORD}
NEW_SECRET = {"password1": "another secret 42", "password2": "another secret 42"}


def sign_up(username: str, email: str = "") -> Any:
    visitor = Visitor()
    return visitor, visitor.submit("/accounts/signup/", username=username, email=email, **SECRET)


# Sign-up


def test_capital_letters_in_a_name_are_folded() -> None:
    _, answer = sign_up("Erin.B")
    assert here(answer) == "/"
    assert User.objects.get().username == "erin.b"
    assert here(Visitor().sign_in("ERIN.b")) == "/"


def test_a_name_that_differs_in_capitals_only_is_taken(dora: User) -> None:
    _, answer = sign_up("Dora")
    assert here(answer) == "/accounts/signup/"
    assert "Someone has this name already." in words(answer)


@pytest.mark.parametrize("name", ["ab", "a b c", "zoë", "x" * 31])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    _, answer = sign_up(name)
    assert here(answer) == "/accounts/signup/"
    assert not User.objects.exists()


def test_an_address_is_confirmed_from_the_mail(mailoutbox: Any) -> None:
    visitor, answer = sign_up("erin", "erin@example.org")
    assert "We have sent a link to erin@example.org" in words(answer)
    assert "waits to be confirmed" in words(visitor.get("/settings/profile"))

    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["erin@example.org"], "Parley: Welcome! Please confirm your email address")
    assert mail.alternatives == []
    answer = visitor.submit(link_in(mail.body))
    assert "erin@example.org is confirmed." in words(answer)
    assert EmailAddress.objects.get(email="erin@example.org").verified


def test_sign_up_does_not_tell_which_addresses_are_known(dora: User, mailoutbox: Any) -> None:
    known, unknown = sign_up("erin", "dora@example.org")[1], sign_up("finn", "finn@example.org")[1]
    assert here(known) == here(unknown) == "/"
    assert words(known).replace("dora@", "finn@") == words(unknown)
    link = link_in(next(mail.body for mail in mailoutbox if mail.to == ["dora@example.org"]))
    assert "has been confirmed for another account" in words(Visitor().get(link))
    assert EmailAddress.objects.get(email="dora@example.org", verified=True).user == dora


def test_who_follows_the_mail_of_someone_else_confirms_nothing_unasked(dora: User, mailoutbox: Any) -> None:
    sign_up("erin", "erin@example.org")
    assert "Is this you?" in words(Visitor(dora).get(link_in(mailoutbox[0].body)))
    assert not EmailAddress.objects.get(email="erin@example.org").verified


# The same by REST


def register(**fields: str) -> Any:
    said = {"username": "erin", "password": PASSWORD, **fields}
    return Client().post("/api/v1/auth/register", said, content_type="application/json")


def test_an_app_registers_and_the_address_is_confirmed_from_the_mail(mailoutbox: Any) -> None:
    assert register(email="Erin@example.org").status_code == 201
    answer = Visitor().submit(link_in(mailoutbox[0].body))
    assert "erin@example.org is confirmed." in words(answer)
    assert EmailAddress.objects.get().verified


def test_without_an_address_there_is_no_mail(mailoutbox: Any) -> None:
    assert register().status_code == 201
    assert mailoutbox == []


def test_registering_does_not_tell_which_addresses_are_known(dora: User) -> None:
    assert register(email=dora.email).status_code == 201


@pytest.mark.parametrize("door", ["page", "rest"])
def test_sign_up_works_while_the_mail_server_is_down(door: str, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    if door == "page":
        assert here(sign_up("erin", "erin@example.org")[1]) == "/"
    else:
        assert register(email="erin@example.org").status_code == 201
    assert User.objects.get().username == "erin"


# A forgotten password


def test_a_forgotten_password_is_replaced_from_the_mail(dora: User, mailoutbox: Any) -> None:
    visitor, phone = Visitor(), Visitor(dora)
    answer = visitor.submit("/accounts/password/reset/", email="DORA@example.org")
    assert "Look into your mail" in words(answer)

    assert "Your name for signing in is dora." in mailoutbox[0].body
    answer = visitor.submit(link_in(mailoutbox[0].body), **NEW_SECRET)
    assert "You can sign in with it now." in words(answer)
    assert not phone.is_in
    assert here(Visitor().sign_in("dora")) == "/accounts/login/"
    assert here(Visitor().sign_in("dora", NEW_SECRET["password1"])) == "/"


def test_a_link_works_once(dora: User, mailoutbox: Any) -> None:
    Visitor().submit("/accounts/password/reset/", email="dora@example.org")
    link = link_in(mailoutbox[0].body)
    Visitor().submit(link, **NEW_SECRET)
    assert "This link is too old" in words(Visitor().get(link))


def test_a_reset_does_not_tell_which_addresses_are_known(dora: User, mailoutbox: Any) -> None:
    answers = [
        Visitor().submit("/accounts/password/reset/", email=f"{name}@example.org") for name in ("dora", "nobody")
    ]
    assert words(answers[0]) == words(answers[1])
    assert "no account here has it" in mailoutbox[1].body


def test_a_reset_in_another_ones_browser_ends_nothing_of_theirs(dora: User, alice: User, mailoutbox: Any) -> None:
    hers, her_phone = Visitor(alice), Visitor(alice)
    Visitor().submit("/accounts/password/reset/", email="dora@example.org")
    hers.submit(link_in(mailoutbox[0].body), **NEW_SECRET)
    assert her_phone.is_in


# The address in the settings


def test_an_address_is_changed_after_it_is_confirmed(dora: User, mailoutbox: Any) -> None:
    visitor = Visitor(dora)
    visitor.confirm()
    answer = visitor.submit("/accounts/email/", email="new@example.org", action_add="")
    assert "new@example.org not confirmed yet" in words(answer)
    assert "dora@example.org confirmed" in words(answer)
    visitor.submit(link_in(mailoutbox[0].body))
    assert "new@example.org is confirmed. Only you see it." in words(visitor.get("/settings/profile"))
    assert [mail.to for mail in mailoutbox[1:]] == [["dora@example.org"]]


def test_an_open_page_is_not_enough_to_change_it(dora: User) -> None:
    answer = Visitor(dora).submit("/accounts/email/", email="new@example.org", action_add="")
    assert here(answer) == "/settings/security/confirm"
    assert not EmailAddress.objects.filter(email="new@example.org").exists()


def test_what_was_filled_in_is_kept_until_one_has_confirmed(dora: User) -> None:
    visitor = Visitor(dora)
    asked = visitor.submit("/accounts/email/", email="new@example.org", action_add="")
    where = f"{here(asked)}?{asked.request['QUERY_STRING']}"
    answer = visitor.submit(where, "/settings/security/confirm", password=PASSWORD)
    assert "new@example.org not confirmed yet" in words(answer)


def test_an_address_of_someone_else_is_not_told_to_be_known(dora: User, person: Callable[..., User]) -> None:
    finn = person("finn", PASSWORD)
    visitor = Visitor(finn)
    visitor.confirm()
    answer = visitor.submit("/accounts/email/", email="dora@example.org", action_add="")
    assert "dora@example.org not confirmed yet" in words(answer)


def test_one_person_sends_thirty_mails_a_day_to_addresses_of_their_choice(
    dora: User, mailoutbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(time.time(), 61)
    monkeypatch.setattr("allauth.core.internal.ratelimit.time.time", lambda: next(clock))
    visitor = Visitor(dora)
    visitor.confirm()
    answers = [
        visitor.submit("/accounts/email/", email=f"new{n}@example.org", action_add="").status_code for n in range(32)
    ]
    assert (answers, len(mailoutbox)) == ([200] * 30 + [429] * 2, 30)


# Mail about an account's safety


def test_a_confirmed_address_hears_of_a_new_password(dora: User, mailoutbox: Any) -> None:
    Visitor(dora).submit("/accounts/password/change/", oldpassword=PASSWORD, **NEW_SECRET)
    (mail,) = mailoutbox
    assert mail.subject == "Parley: Your password was changed"
    assert "choose a new password and sign out all other" in mail.body
    assert "203.0.113.7" not in mail.body


def test_an_address_that_may_be_a_strangers_does_not(dora: User, mailoutbox: Any) -> None:
    EmailAddress.objects.update(verified=False)
    Visitor(dora).submit("/accounts/password/change/", oldpassword=PASSWORD, **NEW_SECRET)
    assert mailoutbox == []


@pytest.mark.parametrize("path", ["login/", "password/reset/", "password/reset/key/1-abc/", "confirm-email/abc/"])
def test_no_cache_keeps_a_page_of_the_entrance(path: str) -> None:
    assert "no-store" in Visitor().get(f"/accounts/{path}")["Cache-Control"]
