"""A second factor is asked for at every door."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)

from accounts.models import User


@pytest.fixture
def dora(person) -> User:
    return person("dora", "a-good-password-9")


@pytest.fixture
def secret(dora: User) -> str:
    """The secret of dora's app."""
    secret = generate_totp_secret()
    TOTP.activate(dora, secret)
    return secret


def code_now(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def sign_in(rest, **more):
    return rest().post("/auth/token", json={"username": "dora", "password": "a-good-password-9", **more})


def test_the_password_alone_does_not_let_in(rest, secret) -> None:
    answer = sign_in(rest)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
    assert "code" in answer.json()["detail"]


def test_the_code_lets_in_once(rest, secret) -> None:
    code = code_now(secret)
    assert sign_in(rest, code=code).status_code == 200
    assert sign_in(rest, code=code).status_code == 401


@pytest.mark.parametrize("code", ["", "000000", "abc", "1" * 32, "1" * 33, 123456])
def test_a_wrong_code_does_not(rest, secret, code) -> None:
    assert sign_in(rest, code=code).status_code in {400, 401}


def test_a_code_on_paper_lets_in_once(rest, dora, secret) -> None:
    code = RecoveryCodes.activate(dora).get_unused_codes()[0]
    assert sign_in(rest, code=code).status_code == 200
    assert sign_in(rest, code=code).status_code == 401


def test_no_secret_lies_in_the_database_in_the_clear(dora, secret) -> None:
    kept = Authenticator.objects.get(user=dora, type=Authenticator.Type.TOTP)
    assert secret not in str(kept.data)
