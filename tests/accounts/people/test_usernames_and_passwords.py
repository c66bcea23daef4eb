"""Usernames and passwords as people write them: names that are kept, letters in another case or form, spaces around."""

import unicodedata
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.auth.registration import NameTaken, register
from accounts.hashers import Argon2
from accounts.models import User
from accounts.people.references import find_user, find_users
from accounts.usernames import KEPT
from accounts.wallets.sign_in import user_of_wallet
from accounts.web.people_forms import find_by_username as find_named
from chatproject.core.rate_limits import RateLimited
from conversations.contacts.profile import update_me
from conversations.contacts.search import search_people
from tests.accounts.auth.test_registration import GOOD, HERE, signs_in
from tests.accounts.conftest import Rest, code, data, pointers
from tests.accounts.visitor import Visitor, link_in, words

WALLET = "0xabCDeF0123456789AbcdEf0123456789aBCDEF01"
COMPOSED = "Pässwörd-Zebra-é9"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)
WIDE = "Ｐässwörd-Zebra-é9"


def registered(**body: str) -> Any:
    """Register by the API."""
    return Client().post("/api/v1/auth/register", {"password": GOOD, **body}, content_type="application/json")


def signed_in(username: str, password: str = GOOD) -> Any:
    """Sign in by the API."""
    body = {"username": username, "password": password}
    return Client().post("/api/v1/auth/token", body, content_type="application/json")


# Names that nobody may take


@pytest.mark.parametrize("name", [*sorted(KEPT), "ALL", "ourplace"])
@pytest.mark.usefixtures("unhurried")
def test_a_kept_name_is_taken_at_every_door(name: str, settings: Any, db: None, rest: Rest) -> None:
    settings.SERVER_NAME = "Our  Ｐlace"
    assert code(registered(username=name)) == (409, "conflict")
    page = Visitor().submit("/accounts/signup/", username=name, password1=GOOD, password2=GOOD)
    assert "This name is kept for the server." in words(page)
    guest = user_of_wallet(wallet=WALLET, address=HERE)
    assert code(rest(guest).send("patch", "/users/me", {"username": name})) == (409, "conflict")
    renamed = Visitor(guest).submit("/settings/profile", username=name)
    assert "This name is kept for the server." in words(renamed)
    assert not User.objects.filter(username=name.lower()).exists()


def test_names_that_only_look_like_kept_ones_are_free(db: None) -> None:
    assert register(username="allison", password=GOOD).username == "allison"


def test_the_operator_gives_kept_names(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", GOOD)
    call_command("createsuperuser", username="admin", interactive=False, verbosity=0)
    assert User.objects.get(username="admin").is_superuser
    with pytest.raises(NameTaken):
        register(username="admin", password=GOOD)


@pytest.mark.parametrize("name", ["sam.", "sam-", "sam_", "...", "_-.", "-__"])
@pytest.mark.usefixtures("unhurried")
def test_a_name_ends_in_a_letter_or_a_digit(name: str, db: None, rest: Rest) -> None:
    assert pointers(registered(username=name)) == ["/username"]
    page = Visitor().submit("/accounts/signup/", username=name, password1=GOOD, password2=GOOD)
    assert "End with a letter or a digit." in words(page)
    guest = user_of_wallet(wallet=WALLET, address=HERE)
    assert pointers(rest(guest).send("patch", "/users/me", {"username": name})) == ["/username"]


@pytest.mark.usefixtures("unhurried")
def test_existing_usernames_outside_the_rule_stay_valid(person: Callable[..., User], rest: Rest) -> None:
    sam = person("sam.", GOOD)
    assert data(signed_in("sam."))["user"]["username"] == "sam."
    assert update_me(by=sam, display_name="Sam").display_name == "Sam"


# Finding people


@pytest.mark.parametrize("written", ["STRASSE", "Straße", "straẞe", "ſtrasse"])
def test_a_username_is_found_whatever_the_case(written: str, person: Callable[..., User], alice: User) -> None:
    user = person("strasse")
    assert find_user({"username": written}, by=alice) == user
    assert find_users([{"username": written}], by=alice) == [user]
    assert find_named([f"@{written}"]) == [user]
    assert [each["id"] for each in search_people(by=alice, text=written).items] == [str(user.pk)]


@pytest.mark.parametrize(
    ("name", "searches"),
    [
        ("Groß", ["gross", "GROSS", "groß", "GROẞ", "gro"]),
        ("İpek Işık", ["ipek", "İPEK", "i\u0307pek ışık", "IPEK IŞIK"]),
        ("Οδυσσεύς", ["ΟΔΥΣΣΕΎΣ", "οδυσσεύσ", "οδυσσεύς"]),
        ("Zoë", ["ZOE\u0308", "zoë", "zo"]),
        ("Zoe\u0308", ["zoë", "ZOË"]),
        ("100%_\\", ["100%", "100%_\\"]),
    ],
)
def test_a_name_is_found_whatever_the_case_and_the_form(name: str, searches: list[str], alice: User, bob: User) -> None:
    update_me(by=bob, display_name=name)
    for text in searches:
        assert [each["username"] for each in search_people(by=alice, text=text).items] == ["bob"], ascii(text)
    update_me(by=bob, display_name="Robert")
    assert [search_people(by=alice, text=text).items for text in searches] == [[] for _ in searches]


def test_people_of_before_are_found_after_the_migration(alice: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(display_name="Großmann", folded_name="")
    assert search_people(by=alice, text="GROSS").items == []
    import_module("accounts.migrations.0010_names").fold_names(apps, connection.schema_editor())
    assert [each["username"] for each in search_people(by=alice, text="GROSS").items] == ["bob"]


# Signing in


@pytest.mark.parametrize("written", ["alice ", " alice", "\u3000ALICE\n", "Alİce", "ali\u0307ce"])
@pytest.mark.usefixtures("unhurried")
def test_spaces_around_a_name_do_not_keep_anyone_out(written: str, person: Callable[..., User]) -> None:
    person("alice", GOOD)
    assert data(signed_in(written))["user"]["username"] == "alice"
    visitor = Visitor()
    visitor.sign_in(written, GOOD)
    assert visitor.is_in


@pytest.mark.usefixtures("committed", "unhurried")
def test_failures_are_counted_for_the_name_that_is_meant(person: Callable[..., User], settings: Any) -> None:
    settings.CHAT_LIMITS = True
    person("alice", GOOD)
    for n in range(5):
        signs_in(f"Al\u0130ce{' ' * n}", "wrong")
    with pytest.raises(RateLimited):
        signs_in("alice")


# Passwords


FORMS = [COMPOSED, DECOMPOSED, WIDE]


@pytest.mark.parametrize("typed", FORMS, ids=ascii)
@pytest.mark.parametrize("chosen", FORMS, ids=ascii)
@pytest.mark.usefixtures("unhurried")
def test_a_password_is_right_in_whatever_form_its_letters_are_written(chosen: str, typed: str, db: None) -> None:
    body = {"username": "alice", "password": chosen}
    data(Client().post("/api/v1/auth/register", body, content_type="application/json"), 201)
    assert signed_in("alice", typed).status_code == 200
    visitor = Visitor()
    visitor.sign_in("alice", typed)
    visitor.confirm(typed)
    assert visitor.is_in
    assert signed_in("alice", typed.lower()).status_code == 401


@pytest.mark.usefixtures("unhurried", "db")
def test_one_signs_up_on_the_page_in_whatever_form_the_letters_are_written() -> None:
    Visitor().submit("/accounts/signup/", username="alice", password1=DECOMPOSED, password2=DECOMPOSED)
    assert signed_in("alice", COMPOSED).status_code == 200


@pytest.mark.parametrize("password", ["e\u0301o\u0308u\u0308a\u0308", "１２３４５６７８９０１"], ids=ascii)
@pytest.mark.usefixtures("unhurried", "db")
def test_a_password_is_as_weak_as_its_normal_form(password: str) -> None:
    assert set(pointers(registered(username="alice", password=password))) == {"/password"}
    Visitor().submit("/accounts/signup/", username="alice", password1=password, password2=password)
    assert not User.objects.exists()


@pytest.mark.usefixtures("unhurried")
def test_passwords_that_are_changed_and_reset_are_compared_alike(dora: User, rest: Rest, mailoutbox: Any) -> None:
    change = {"old_password": "a secret nobody guesses", "new_password": DECOMPOSED}
    assert rest(dora).send("post", "/auth/password", change).status_code == 204
    assert signed_in("dora", COMPOSED).status_code == 200
    Visitor().submit("/accounts/password/reset/", email=dora.email)
    answer = Visitor().submit(link_in(mailoutbox[-1].body), password1=DECOMPOSED + "2", password2=DECOMPOSED + "2")
    assert "You can sign in with it now." in words(answer)
    assert signed_in("dora", COMPOSED + "2").status_code == 200


def stored_as_written(user: User, password: str) -> None:
    """Store a password as it was done before there was a normal form."""
    User.objects.filter(pk=user.pk).update(password=make_password(password))


@pytest.mark.usefixtures("unhurried")
def test_a_password_from_before_goes_on_and_is_renewed_by_the_next_sign_in(person: Callable[..., User]) -> None:
    alice = person("alice")
    stored_as_written(alice, DECOMPOSED)
    assert signed_in("alice", COMPOSED).status_code == 401
    assert signed_in("alice", DECOMPOSED).status_code == 200
    assert signed_in("alice", COMPOSED).status_code == 200


@pytest.mark.usefixtures("unhurried")
def test_a_page_stays_signed_in_when_a_password_is_renewed(person: Callable[..., User]) -> None:
    stored_as_written(person("alice"), DECOMPOSED)
    visitor = Visitor()
    visitor.sign_in("alice", DECOMPOSED)
    visitor.confirm(COMPOSED)
    assert visitor.is_in


class Counted(Argon2):
    """Argon2 as we use it, which counts how often it hashes."""

    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        Counted.hashed += 1
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        Counted.hashed += 1
        return super().verify(password, encoded)


@pytest.mark.parametrize(("password", "hashed"), [("plain-and-wrong", 1), (DECOMPOSED, 2)], ids=ascii)
def test_a_failed_sign_in_costs_the_same_whoever_is_named(
    password: str, hashed: int, person: Callable[..., User], settings: Any
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Counted"]
    person("alice", GOOD)
    person("wallet")
    for name in ("alice", "wallet", "nobody"):
        Counted.hashed = 0
        assert signs_in(name, password) is None
        assert Counted.hashed == hashed, name
