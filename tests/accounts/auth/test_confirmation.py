"""Showing once more that it is oneself, by the API: for five minutes, in one session."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db.models import F
from django.test import Client

from accounts.auth.confirmation import is_confirmed
from accounts.auth.sessions import end_session
from accounts.models import Session, User
from tests.accounts.conftest import Caller, Rest, code, data, pointers
from tests.accounts.visitor import PASSWORD
from tests.support.redis import empty_redis
from tests.support.wallet import Wallet, give_wallet

Confirm = Callable[..., Any]


def confirm(caller: Caller, **said: Any) -> Any:
    return caller.send("post", "/auth/confirm", said)


def proof(wallet: Wallet | None = None) -> dict[str, str]:
    """A fresh message, signed."""
    asked = data(Client().post("/api/v1/auth/wallet/nonce", {}, content_type="application/json"), 201)
    return (wallet or Wallet()).proof(asked)


def paper_of(user: User) -> list[str]:
    """Set up an app, and give the codes on paper."""
    TOTP.activate(user, generate_totp_secret())
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return codes


@pytest.fixture
def caller(rest: Rest, dora: User) -> Caller:
    return rest(dora)


@pytest.fixture
def walletless(alice: User) -> User:
    """Alice, who has no password but a wallet, and is signed in nowhere."""
    empty_redis()
    give_wallet(alice)
    Session.objects.all().delete()
    return alice


def confirmed_sessions() -> list[bool]:
    return [is_confirmed(session) for session in Session.objects.order_by("pk")]


def test_the_password_confirms_this_session_alone(caller: Caller, rest: Rest, dora: User) -> None:
    rest(dora)
    answer = confirm(caller, password=PASSWORD)
    assert (answer.status_code, answer.content) == (204, b"")
    assert confirmed_sessions() == [True, False]


def test_a_sign_in_is_no_confirmation(caller: Caller) -> None:
    assert confirmed_sessions() == [False]


@pytest.mark.parametrize(("minutes", "good"), [(4, True), (6, False)])
def test_a_confirmation_is_good_for_five_minutes(caller: Caller, minutes: int, good: bool) -> None:
    confirm(caller, password=PASSWORD)
    Session.objects.update(confirmed_at=F("confirmed_at") - timedelta(minutes=minutes))
    assert confirmed_sessions() == [good]


def test_a_confirmation_ends_with_its_session(caller: Caller) -> None:
    confirm(caller, password=PASSWORD)
    session = Session.objects.get()
    end_session(session=session)
    assert not is_confirmed(session)
    assert code(confirm(caller, password=PASSWORD)) == (401, "session_revoked")


def test_a_wrong_password_confirms_nothing(caller: Caller) -> None:
    assert code(confirm(caller, password="guess")) == (401, "bad_credentials")
    assert confirmed_sessions() == [False]


def test_wrong_passwords_count_as_failed_sign_ins(caller: Caller, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    answers = [confirm(caller, password="guess").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    assert confirm(caller, password=PASSWORD).status_code == 429
    # They count for this device alone: whoever holds it for a moment does not lock its person out elsewhere.
    said = {"username": "dora", "password": PASSWORD}
    assert Client().post("/api/v1/auth/token", said, content_type="application/json").status_code == 200


def test_right_passwords_do_not_count(caller: Caller, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    assert {confirm(caller, password=PASSWORD).status_code for _ in range(8)} == {204}


def test_people_with_a_second_factor_confirm_with_a_code_as_well(caller: Caller, dora: User) -> None:
    paper = paper_of(dora)
    for wrong in (
        {"password": PASSWORD},
        {"password": PASSWORD, "code": "000000"},
        {"password": "x", "code": paper[0]},
    ):
        assert code(confirm(caller, **wrong)) == (401, "bad_credentials")
    assert confirmed_sessions() == [False]
    assert confirm(caller, password=PASSWORD, code=paper[0]).status_code == 204
    assert code(confirm(caller, password=PASSWORD, code=paper[0])) == (401, "bad_credentials")


def test_wrong_codes_count_too(caller: Caller, dora: User, settings: Any) -> None:
    paper_of(dora)
    settings.CHAT_LIMITS = True
    answers = [confirm(caller, password=PASSWORD, code="000000").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


def test_people_without_a_password_confirm_with_their_wallet(rest: Rest, walletless: User) -> None:
    caller, shown = rest(walletless), proof()
    assert confirm(caller, **shown).status_code == 204
    assert confirmed_sessions() == [True]
    # What was signed counts once.
    assert code(confirm(rest(walletless), **shown)) == (401, "bad_credentials")
    assert confirmed_sessions() == [True, False]


def test_a_wallet_confirms_with_a_code_if_there_is_a_second_factor(rest: Rest, walletless: User) -> None:
    paper, caller = paper_of(walletless), rest(walletless)
    assert code(confirm(caller, **proof())) == (401, "bad_credentials")
    assert confirmed_sessions() == [False]
    assert confirm(caller, **proof(), code=paper[0]).status_code == 204


def test_the_wallet_of_another_confirms_nothing_and_counts(rest: Rest, walletless: User, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    caller = rest(walletless)
    answers = [confirm(caller, **proof(Wallet(2))).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    assert confirmed_sessions() == [False]


def test_a_wallet_is_no_confirmation_beside_a_password(caller: Caller, dora: User) -> None:
    give_wallet(dora)
    assert code(confirm(caller, **proof())) == (401, "bad_credentials")


def test_a_password_counts_where_both_are_given(caller: Caller) -> None:
    assert confirm(caller, password=PASSWORD, message="x", signature="0x").status_code == 204


@pytest.mark.parametrize("body", [{}, {"code": "1"}, {"message": "x"}, {"signature": "x"}, {"password": 5}])
def test_a_body_that_shows_nothing_is_malformed(caller: Caller, body: Any) -> None:
    assert pointers(confirm(caller, **body)) == ["/password"]


def test_nobody_confirms_without_a_session(data: None) -> None:
    answer = Client().post("/api/v1/auth/confirm", {"password": "x"}, content_type="application/json")
    assert code(answer) == (401, "not_authenticated")
