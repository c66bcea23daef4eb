"""The theme and the language that someone has chosen: pages, notices and mail keep to them."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress

from accounts.models import Session, User
from accounts.people.user_settings import settings_of
from conversations.contacts.profile import update_me
from conversations.creation import create_group
from tests.accounts.visitor import Visitor

pytestmark = pytest.mark.django_db

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
ENGLISH = {"Accept-Language": "en-US,en"}


def browser(headers: dict[str, str], user: User | None = None) -> Visitor:
    """Someone's browser that asks for some language."""
    visitor = Visitor(user)
    visitor.client.defaults |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return visitor


def page(visitor: Visitor, path: str = "/") -> str:
    """The markup of a page as a browser gets it."""
    return str(visitor.get(path).content.decode())


# The theme


def test_pages_follow_the_device_until_a_theme_is_chosen(alice: User) -> None:
    shown = page(Visitor(alice))
    assert 'data-theme="system"' in shown
    assert 'name="color-scheme" content="light dark"' in shown


@pytest.mark.parametrize(("theme", "colour"), [("light", "#fffdf9"), ("dark", "#171c1a")])
@pytest.mark.parametrize("path", ["/", "/settings/appearance", "/accounts/logout/", "/nowhere"])
def test_a_chosen_theme_stands_in_the_markup_of_every_page(alice: User, theme: str, colour: str, path: str) -> None:
    update_me(by=alice, settings={"theme": theme})
    shown = page(Visitor(alice), path)
    assert f'data-theme="{theme}"' in shown
    assert f'name="color-scheme" content="{theme}"' in shown
    assert shown.count('name="theme-color"') == shown.count(colour) == 1


def test_nobody_has_no_theme(alice: User) -> None:
    update_me(by=alice, settings={"theme": "dark"})
    assert 'data-theme="system"' in page(Visitor(), "/accounts/login/")


def test_both_are_chosen_on_a_page(alice: User) -> None:
    answer = Visitor(alice).submit("/settings/appearance", theme="dark", language="de")
    alice.refresh_from_db()
    assert {"theme": "dark", "language": "de"}.items() <= settings_of(alice).items()
    assert 'data-theme="dark"' in answer.content.decode()


def test_a_page_takes_no_theme_that_there_is_none_of(alice: User) -> None:
    assert Visitor(alice).submit("/settings/appearance", theme="blue").status_code == 400
    alice.refresh_from_db()
    assert settings_of(alice)["theme"] == "system"


def test_a_theme_changes_nothing_else(alice: User) -> None:
    update_me(by=alice, settings={"write": "contacts", "read_receipts": False})
    Visitor(alice).submit("/settings/appearance", theme="dark")
    alice.refresh_from_db()
    assert {"write": "contacts", "read_receipts": False, "theme": "dark"}.items() <= settings_of(alice).items()


# The language of pages


@pytest.mark.parametrize(
    ("language", "headers", "said"),
    [
        ("auto", GERMAN, "Du hast die Gruppe"),
        ("auto", ENGLISH, "You made the group"),
        ("auto", {}, "You made the group"),
        ("de", ENGLISH, "Du hast die Gruppe"),
        ("en", GERMAN, "You made the group"),
    ],
)
def test_a_chosen_language_counts_more_than_that_of_the_browser(
    alice: User, language: str, headers: dict[str, str], said: str
) -> None:
    create_group(by=alice, name="Garden", participants=[])
    update_me(by=alice, settings={"language": language})
    assert said in page(browser(headers, alice))


def test_the_language_of_one_is_not_that_of_the_next(alice: User, bob: User) -> None:
    create_group(by=bob, name="Garden", participants=[])
    update_me(by=alice, settings={"language": "de"})
    page(Visitor(alice))
    assert "You made the group" in page(Visitor(bob))
    assert 'value="de"' not in page(Visitor(), "/accounts/login/")


# The language of mail


def forget_password(headers: dict[str, str]) -> None:
    browser(headers).submit("/accounts/password/reset/", email="dora@example.org")


@pytest.mark.parametrize(
    ("language", "used", "asking", "subject"),
    [
        ("de", [], ENGLISH, "Parley: Wähle ein neues Passwort"),
        ("en", [GERMAN], GERMAN, "Parley: Choose a new password"),
        ("auto", [GERMAN], ENGLISH, "Parley: Wähle ein neues Passwort"),
        ("auto", [GERMAN, ENGLISH], GERMAN, "Parley: Choose a new password"),
        ("auto", [GERMAN, {}], ENGLISH, "Parley: Wähle ein neues Passwort"),
        ("auto", [], GERMAN, "Parley: Wähle ein neues Passwort"),
        ("auto", [], {}, "Parley: Choose a new password"),
    ],
)
def test_a_mail_is_in_the_language_chosen_or_else_in_that_of_the_browser_used_last(
    dora: User, mailoutbox: Any, language: str, used: list[dict[str, str]], asking: dict[str, str], subject: str
) -> None:
    for headers in used:
        page(browser(headers, dora))
    update_me(by=dora, settings={"language": language})
    forget_password(asking)
    (mail,) = mailoutbox
    assert mail.subject == subject
    assert ("Hallo dora" in mail.body) == ("Passwort" in subject)


def test_a_mail_to_an_address_that_nobody_has_is_in_the_language_of_who_asks(unhurried: None, mailoutbox: Any) -> None:
    forget_password(GERMAN)
    assert mailoutbox[0].subject == "Parley: Es gibt kein Konto mit dieser Adresse"


def test_whoever_registers_gets_mail_in_the_language_of_their_browser(unhurried: None, mailoutbox: Any) -> None:
    secret = "another secret 42"
    browser(GERMAN).submit(
        "/accounts/signup/", username="erin", email="e@example.org", password1=secret, password2=secret
    )
    assert EmailAddress.objects.filter(email="e@example.org").exists()
    assert mailoutbox[0].subject == "Parley: Willkommen! Bitte bestätige deine E-Mail-Adresse"
    assert Session.objects.get(user__username="erin").language == "de"
