"""Signing in with a wallet by the API. The signatures come from another library."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from accounts.models import User
from accounts.wallets.nonces import issue_nonce
from accounts.wallets.sign_in import user_of_wallet, verify_wallet
from conversations.contacts.account_closure import close_account
from tests.accounts.conftest import Rest, code, data, pointers
from tests.accounts.visitor import PASSWORD, Visitor
from tests.accounts.wallets.conftest import NONCE, OTHER, WALLET, Enter, post
from tests.support.redis import empty_redis
from tests.support.together import together
from tests.support.wallet import Wallet, give_wallet, moment


def test_the_first_sign_in_creates_an_account_and_the_next_one_finds_it(enter: Enter) -> None:
    first, again, other = data(enter()), data(enter()), data(enter(Wallet(2)))
    assert first.keys() == {"user", "access", "refresh", "session_id", "device_token"}
    assert first["user"]["wallet"] == Wallet().address
    assert first["user"]["username"].startswith("w_")
    assert len(first["user"]["username"]) == 14
    assert first["user"]["id"] == again["user"]["id"] != other["user"]["id"]
    assert not User.objects.get(pk=first["user"]["id"]).has_usable_password()


def test_the_server_names_the_fields_that_a_message_must_contain(asked: Any) -> None:
    said = asked()
    assert (said["expires_in"], said["domain"], said["uri"]) == (300, "chat.example", "https://chat.example")
    assert said["nonce"].isalnum()
    assert len(said["nonce"]) >= 8


FORGED = {
    "HTTP_HOST": "127.0.0.1:6666",
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_PROTO": "http",
    "HTTP_FORWARDED": "host=evil.example",
}


def test_domain_and_uri_are_those_of_the_site_whatever_a_request_says_of_itself(data: None) -> None:
    said = post(NONCE, client=Client(**FORGED)).json()["data"]
    assert (said["domain"], said["uri"]) == ("chat.example", "https://chat.example")


@pytest.mark.parametrize("domain", ["127.0.0.1:6666", "testserver", "evil.example"])
def test_a_message_for_another_host_signs_nobody_in(asked: Any, domain: str) -> None:
    proof = Wallet().proof(asked(), domain=domain, uri=f"http://{domain}")
    answer = post(WALLET, proof, Client(**{**FORGED, "HTTP_HOST": "127.0.0.1:6666"}))
    assert code(answer) == (401, "bad_credentials")


@pytest.mark.parametrize(
    ("url", "domain"), [("http://localhost:8000", "localhost:8000"), ("https://Chat.Example:443/", "chat.example")]
)
def test_a_site_is_written_as_browsers_write_it(enter: Enter, settings: Any, url: str, domain: str) -> None:
    settings.SITE_URL = url
    said = post(NONCE).json()["data"]
    assert (said["domain"], said["uri"]) == (domain, f"{url.partition('://')[0]}://{domain}")
    assert data(enter())


# Moments count from when the test runs.
REFUSED: dict[str, Callable[[], dict[str, Any]]] = {
    "another domain": lambda: {"domain": "evil.example"},
    "another uri": lambda: {"uri": "http://evil.example"},
    "a deeper uri": lambda: {"uri": "https://chat.example/x"},
    "another scheme": lambda: {"head": "http://"},
    "another site": lambda: OTHER,
    "another version": lambda: {"version": "2"},
    "no chain": lambda: {"chain": ""},
    "another's address": lambda: {"address": Wallet(2).address},
    "an address without checksum": lambda: {"address": Wallet().address.lower()},
    "a nonce that we never gave": lambda: {"nonce": "0" * 32},
    "a short nonce": lambda: {"nonce": "0" * 7},
    "issued long ago": lambda: {"issued": moment(minutes=11)},
    "issued ahead": lambda: {"issued": moment(minutes=-3)},
    "no time": lambda: {"issued": "now"},
    "expired": lambda: {"more": f"\nExpiration Time: {moment(seconds=1)}"},
    "not begun": lambda: {"more": f"\nNot Before: {moment(minutes=-1)}"},
    "more than the grammar knows": lambda: {"more": "\nAnd: more"},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_invalid_message_signs_nobody_in(enter: Enter, kind: str) -> None:
    assert code(enter(**REFUSED[kind]())) == (401, "bad_credentials")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "other",
    [
        lambda: {"issued": moment(minutes=9)},
        lambda: {"issued": moment(minutes=-1)},
        lambda: {"head": "https://"},
        lambda: {"more": f"\nExpiration Time: {moment(minutes=-5)}\nNot Before: {moment(minutes=1)}\nRequest ID: 7"},
        lambda: {"chain": "137"},
    ],
)
def test_a_valid_message_signs_in(enter: Enter, other: Any) -> None:
    assert data(enter(**other()))


@pytest.mark.parametrize("signature", ["", "0x", "nonsense", "0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "11" * 64])
def test_an_invalid_signature_signs_nobody_in_and_uses_up_the_nonce(asked: Any, signature: str) -> None:
    proof = Wallet().proof(asked())
    assert code(post(WALLET, proof | {"signature": signature})) == (401, "bad_credentials")
    # The nonce is used up by it.
    assert code(post(WALLET, proof)) == (401, "bad_credentials")


def test_a_message_signs_in_once(asked: Any) -> None:
    proof = Wallet().proof(asked())
    data(post(WALLET, proof))
    assert code(post(WALLET, proof)) == (401, "bad_credentials")


@pytest.mark.parametrize("body", [{"message": 5, "signature": "x"}, {"message": "x", "signature": []}, {}])
def test_a_body_of_other_types_is_malformed(data: None, body: Any) -> None:
    assert code(post(WALLET, body)) == (400, "invalid")


def test_failures_count_by_address_and_successes_do_not(enter: Enter, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    for _ in range(19):
        assert code(enter(**OTHER)) == (401, "bad_credentials")
    data(enter())
    assert code(enter(**OTHER)) == (401, "bad_credentials")
    assert code(enter()) == (429, "rate_limited")


def test_accounts_for_new_wallets_count_as_registrations(enter: Enter, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    answers = [enter(Wallet(number)).status_code for number in range(1, 12)]
    assert answers == [200] * 10 + [429]
    assert data(enter())


def test_an_inactive_account_cannot_sign_in_and_the_wallet_of_a_closed_one_creates_another(enter: Enter) -> None:
    first = User.objects.get(pk=data(enter())["user"]["id"])
    User.objects.filter(pk=first.pk).update(is_active=False)
    assert code(enter()) == (401, "bad_credentials")
    User.objects.filter(pk=first.pk).update(is_active=True)
    close_account(by=first)
    assert data(enter())["user"]["id"] != str(first.pk)


def test_a_second_factor_is_asked_for(enter: Enter) -> None:
    user = User.objects.get(pk=data(enter())["user"]["id"])
    TOTP.activate(user, generate_totp_secret())
    paper = RecoveryCodes.activate(user).get_unused_codes()[0]
    assert code(enter()) == (401, "bad_credentials")
    assert code(enter(more_fields={"code": "000000"})) == (401, "bad_credentials")
    assert data(enter(more_fields={"code": paper}))


@pytest.mark.usefixtures("committed")
def test_concurrent_first_sign_ins_create_one_account() -> None:
    empty_redis()
    found = together(*[lambda: user_of_wallet(wallet=Wallet().address, address="192.0.2.1") for _ in range(4)])
    assert len({user.pk for user in found}) == User.objects.count() == 1


def test_a_signature_that_is_sent_several_times_at_once_signs_in_once(asked: Any) -> None:
    said = asked()
    proof = Wallet().proof(said)

    def show() -> str | None:
        try:
            return verify_wallet(**proof, address="192.0.2.1")
        except Exception:
            return None

    assert sorted(map(str, together(show, show, show))) == [Wallet().address, "None", "None"]


def test_a_generated_username_can_be_changed_once(enter: Enter, rest: Rest, bob: User) -> None:
    caller = rest(User.objects.get(pk=data(enter())["user"]["id"]))
    assert code(caller.send("patch", "/users/me", {"username": "BOB"})) == (409, "conflict")
    assert pointers(caller.send("patch", "/users/me", {"username": "x"})) == ["/username"]
    assert data(caller.send("patch", "/users/me", {"username": "Dora"}))["username"] == "dora"
    assert data(caller.send("patch", "/users/me", {"username": "dora"}))["username"] == "dora"
    assert code(caller.send("patch", "/users/me", {"username": "dorothy"})) == (403, "not_allowed")
    assert code(rest(bob).send("patch", "/users/me", {"username": "rob"})) == (403, "not_allowed")


def test_a_password_still_signs_in_beside_a_wallet(dora: User) -> None:
    give_wallet(dora)
    assert Visitor().sign_in("dora", PASSWORD).status_code == 200
    assert issue_nonce() != issue_nonce()
