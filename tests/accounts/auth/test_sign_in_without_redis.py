"""Signing in while Redis does not answer: it still works, and guesses stay limited."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.wallets.sign_in import WalletNotProven, verify_wallet
from chatproject.core.rate_limits import RateLimited
from tests.accounts.visitor import PASSWORD, Visitor, words
from tests.support.codes import code_of
from tests.support.redis import without_redis

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def _limited_without_redis(settings: Any, dora: User) -> Iterator[None]:
    settings.CHAT_LIMITS = True
    with without_redis():
        yield


def post(path: str, **body: Any) -> Any:
    return Client().post(f"/api/v1/auth/{path}", body, content_type="application/json")


def sign_in(password: str, **more: Any) -> int:
    return int(post("token", username="dora", password=password, **more).status_code)


def test_passwords_are_not_guessed_by_the_api() -> None:
    assert sign_in(PASSWORD) == 200
    assert [sign_in("wrong") for _ in range(6)] == [401] * 5 + [429]
    assert sign_in(PASSWORD) == 429


def test_passwords_are_not_guessed_by_the_page() -> None:
    visitor = Visitor()
    for _ in range(5):
        visitor.sign_in("dora", "wrong")
    assert "Too many failed attempts" in words(visitor.sign_in("dora"))
    assert not visitor.is_in


def test_the_page_of_the_staffs_room_is_the_same_page(dora: User) -> None:
    User.objects.filter(pk=dora.pk).update(is_staff=True)
    visitor = Visitor()
    for _ in range(5):
        visitor.submit("/admin/", "/accounts/login/", login="dora", password="wrong")
    answer = visitor.submit("/admin/", "/accounts/login/", login="dora", password=PASSWORD)
    assert "Too many failed attempts" in words(answer)


def test_codes_are_not_guessed_by_the_api(dora: User, secret: str) -> None:
    assert [sign_in(PASSWORD, code="000000") for _ in range(6)] == [401] * 5 + [429]
    assert sign_in(PASSWORD, code=code_of(secret)) == 429


def test_codes_are_not_guessed_by_the_page(dora: User, secret: str) -> None:
    visitor = Visitor()
    visitor.sign_in("dora")
    for _ in range(5):
        visitor.submit("/accounts/2fa/authenticate/", code="000000")
    answer = visitor.submit("/accounts/2fa/authenticate/", code=code_of(secret))
    assert "Too many failed attempts" in words(answer)


def test_an_address_makes_ten_accounts_an_hour_whatever_the_door() -> None:
    made = [post("register", username=f"person-{turn}", password=PASSWORD).status_code for turn in range(11)]
    assert made == [201] * 10 + [429]
    new = {"username": "margaret", "password1": PASSWORD, "password2": PASSWORD}
    assert Visitor().submit("/accounts/signup/", **new).status_code == 429
    assert not User.objects.filter(username="margaret").exists()


def test_an_address_gets_five_mails_an_hour_to_reset_a_password(mailoutbox: Any) -> None:
    for _ in range(6):
        answer = Visitor().submit("/accounts/password/reset/", email="DORA@example.org")
    assert "asked for too often" in words(answer)
    assert len(mailoutbox) == 5


def test_wallets_are_not_guessed_either() -> None:
    def guess() -> None:
        verify_wallet(message="", signature="", address="203.0.113.66")

    for _ in range(20):
        with pytest.raises(WalletNotProven):
            guess()
    with pytest.raises(RateLimited):
        guess()
