"""A second factor is asked for at every door."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from accounts.auth.second_factor import use_code
from accounts.models import User
from tests.support.codes import code_of
from tests.support.together import ended_together


@pytest.fixture
def dora(person) -> User:
    return person("dora", "a-good-password-9")


@pytest.fixture
def secret(dora: User) -> str:
    """The secret of dora's app."""
    secret = generate_totp_secret()
    TOTP.activate(dora, secret)
    return secret


def sign_in(rest, **more):
    return rest().post("/auth/token", json={"username": "dora", "password": "a-good-password-9", **more})


def test_the_password_alone_does_not_let_in(rest, secret) -> None:
    answer = sign_in(rest)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
    assert "code" in answer.json()["detail"]


def test_the_code_lets_in_once(rest, secret) -> None:
    code = code_of(secret)
    assert sign_in(rest, code=code).status_code == 200
    assert sign_in(rest, code=code).status_code == 401


def test_the_code_of_the_30_seconds_before_lets_in_once(rest, secret) -> None:
    code = code_of(secret, steps=-1)
    assert sign_in(rest, code=code).status_code == 200
    assert sign_in(rest, code=code).status_code == 401


def test_an_earlier_code_is_worth_nothing_after_a_later_one(rest, secret) -> None:
    earlier, later = code_of(secret, steps=-1), code_of(secret)
    assert sign_in(rest, code=later).status_code == 200
    assert sign_in(rest, code=earlier).status_code == 401


@pytest.mark.parametrize("steps", [-2, 1])
def test_codes_of_other_times_let_nobody_in(rest, secret, steps) -> None:
    assert sign_in(rest, code=code_of(secret, steps=steps)).status_code == 401


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("steps", [0, -1])
def test_of_many_who_show_one_code_at_the_same_moment_one_gets_in(dora, secret, steps) -> None:
    code = code_of(secret, steps=steps)
    ends = ended_together(*[lambda: use_code(user=dora, code=code)] * 6)
    assert sum(end.result() is not None for end in ends) == 1


@pytest.mark.usefixtures("committed")
def test_of_many_who_show_one_code_on_paper_at_the_same_moment_one_gets_in(dora, secret) -> None:
    code = RecoveryCodes.activate(dora).get_unused_codes()[0]
    ends = ended_together(*[lambda: use_code(user=dora, code=code)] * 6)
    assert sum(end.result() is not None for end in ends) == 1


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
