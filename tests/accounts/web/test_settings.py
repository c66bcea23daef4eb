"""The settings as people use them, without a script."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from accounts.models import User
from accounts.people.devices import device_words
from accounts.people.profiles import own_json
from conversations.contacts.blocks import block
from conversations.creation import start_direct
from messaging.messages.send import send_message
from tests.accounts.visitor import PASSWORD, Visitor, here, words

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1"


# Profile and privacy


def test_a_profile_is_saved_and_others_read_it(alice: User, bob: User) -> None:
    answer = Visitor(alice).submit("/settings/profile", display_name=" Alice M. ", about="Binds books.\r\nDaily.")
    assert "Your profile is saved." in words(answer)
    shown = words(Visitor(bob).get(f"/people/{alice.pk}"))
    assert "Alice M." in shown
    assert "Binds books. Daily." in shown


def test_a_name_that_is_too_long_is_not_saved(alice: User) -> None:
    answer = Visitor(alice).submit("/settings/profile", display_name="A" * 81)
    assert (answer.status_code, here(answer)) == (400, "/settings/profile")
    assert "at most 80 characters" in words(answer)
    alice.refresh_from_db()
    assert alice.display_name == "Alice"


def test_line_breaks_count_once(alice: User) -> None:
    answer = Visitor(alice).submit("/settings/profile", about="a\r\n" * 249 + "aa")
    alice.refresh_from_db()
    assert (answer.status_code, len(alice.about)) == (200, 500)


def test_privacy_is_saved(alice: User) -> None:
    answer = Visitor(alice).submit("/settings/privacy", write="contacts", read_receipts=None)
    alice.refresh_from_db()
    assert "Your privacy settings are saved." in words(answer)
    assert own_json(alice)["settings"] == {
        "write": "contacts",
        "add": "everyone",
        "last_seen": True,
        "read_receipts": False,
        "theme": "system",
        "language": "auto",
    }


def test_who_may_write_is_nothing_one_can_invent(alice: User) -> None:
    assert Visitor(alice).submit("/settings/privacy", write="nobody").status_code == 400
    alice.refresh_from_db()
    assert own_json(alice)["settings"]["write"] == "everyone"


# Devices


def test_devices_are_named_as_people_know_them(alice: User) -> None:
    here_, phone = Visitor(alice), Visitor(alice, PHONE)
    shown = words(here_.get("/settings/sessions"))
    assert "Firefox on Linux This device" in shown
    assert "Safari on iPhone just now · 203.0.113.7" in shown
    assert phone.is_in


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18 Safari/605", "Safari on Mac"),
        ("Mozilla/5.0 (something new)", "A browser"),
        ("Dora's kitchen clock", "Dora's kitchen clock"),
        ("", "A device without a name"),
    ],
)
def test_the_words_for_a_device(said: str, shown: str) -> None:
    assert device_words(said) == shown


def test_a_device_is_signed_out_from_another(alice: User) -> None:
    mine, phone = Visitor(alice), Visitor(alice, PHONE)
    answer = mine.submit("/settings/sessions", f"/settings/sessions/{phone.session.pk}/end")
    assert "That device is signed out." in words(answer)
    assert (mine.is_in, phone.is_in) == (True, False)


def test_all_others_are_signed_out_at_once(alice: User) -> None:
    mine, others = Visitor(alice), [Visitor(alice, PHONE), Visitor(alice)]
    mine.submit("/settings/sessions", "/settings/sessions/end-others")
    assert [each.is_in for each in (mine, *others)] == [True, False, False]


def test_the_devices_of_others_are_not_there(alice: User, mallory: User) -> None:
    hers, his = Visitor(alice), Visitor(mallory)
    assert his.post(f"/settings/sessions/{hers.session.pk}/end").status_code == 404
    assert hers.is_in


# Security


def test_security_says_what_is_on(alice: User, dora: User) -> None:
    assert "Choose a password" in words(Visitor(alice).get("/settings/security"))
    TOTP.activate(dora, generate_totp_secret())
    RecoveryCodes.activate(dora)
    shown = words(Visitor(dora).get("/settings/security"))
    assert "Change the password" in shown
    assert "Codes from an app on" in shown
    assert "Recovery codes 10 left" in shown


def test_a_new_password_ends_all_other_sessions(dora: User) -> None:
    mine, phone = Visitor(dora), Visitor(dora, PHONE)
    filled = {"oldpassword": PASSWORD, "password1": "another secret 42", "password2": "another secret 42"}
    answer = mine.submit("/accounts/password/change/", **filled)
    assert here(answer) == "/settings/security"
    assert "Your password is changed." in words(answer)
    assert (mine.is_in, phone.is_in) == (True, False)
    assert here(Visitor().sign_in("dora", "another secret 42")) == "/"


def test_nobody_changes_a_password_without_the_old_one(dora: User) -> None:
    filled = {"oldpassword": "guess", "password1": "another secret 42", "password2": "another secret 42"}
    answer = Visitor(dora).submit("/accounts/password/change/", **filled)
    assert "That is not your password." in words(answer)
    assert here(Visitor().sign_in("dora")) == "/"


# Blocked people


def test_a_block_is_lifted_from_the_list(alice: User, mallory: User) -> None:
    visitor = Visitor(alice)
    assert "You have blocked nobody." in words(visitor.get("/settings/blocked"))
    block(by=alice, other=mallory)
    assert "Mallory @mallory" in words(visitor.get("/settings/blocked"))
    answer = visitor.submit("/settings/blocked", f"/settings/blocked/{mallory.pk}/unblock")
    assert here(answer) == "/settings/blocked"
    assert "You have blocked nobody." in words(answer)


# Closing


def test_an_account_is_closed_with_its_password(dora: User, bob: User) -> None:
    mine, phone = Visitor(dora), Visitor(dora, PHONE)
    answer = mine.submit("/settings/close", password=PASSWORD)
    assert here(answer) == "/accounts/login/"
    assert "Your account is closed." in words(answer)
    assert (mine.is_in, phone.is_in) == (False, False)
    assert here(Visitor().sign_in("dora")) == "/accounts/login/"
    assert Visitor(bob).get(f"/people/{dora.pk}").status_code == 404


@pytest.mark.parametrize("password", ["", "guess"])
def test_a_wrong_password_closes_nothing(dora: User, password: str) -> None:
    visitor = Visitor(dora)
    assert visitor.submit("/settings/close", password=password).status_code == 400
    assert visitor.is_in


def test_those_who_talked_with_a_closed_account_still_see_that_it_was_there(alice: User, dora: User) -> None:
    conversation = start_direct(by=alice, to=dora)[0]
    send_message(by=dora, conversation_id=conversation.pk, text="Bye")
    Visitor(dora).submit("/settings/close", password=PASSWORD)
    shown = words(Visitor(alice).get(f"/people/{dora.pk}"))
    assert "Deleted account" in shown
    assert "This account is closed." in shown
    assert "dora" not in shown
