"""Registration, and checking passwords."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.auth.passwords import check_password
from accounts.auth.registration import NameTaken, register
from accounts.models import User
from tests.support.together import ended_together

GOOD = "a-rather-long-one"


HERE = "192.0.2.1"


def signs_in(username: str, password: str = GOOD, address: str = HERE) -> User | None:
    return check_password(username=username, password=password, address=address)


@pytest.mark.parametrize("name", ["alice", "Alice", "ALICE"])
@pytest.mark.usefixtures("committed")
def test_a_name_is_folded_to_lower_case_and_found_however_it_is_written(name: str) -> None:
    user = register(username=name, password=GOOD)
    assert user.username == "alice"
    assert signs_in("aLiCe") == user


@pytest.mark.parametrize("name", ["al", "a" * 31, "al ice", "älice", "alice!", "", "alice\n", "ali\0ce"])
@pytest.mark.usefixtures("db")
def test_an_invalid_username_cannot_register(name: str) -> None:
    with pytest.raises(ValidationError):
        register(username=name, password=GOOD)
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["short7!", "12345678901", "password1", "margaret"])
@pytest.mark.usefixtures("db")
def test_a_weak_password_cannot_register(password: str) -> None:
    with pytest.raises(ValidationError):
        register(username="margaret", password=password)
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["alice", "ALICE"])
def test_a_taken_username_cannot_register(name: str, alice: User) -> None:
    with pytest.raises(NameTaken):
        register(username=name, password=GOOD)


@pytest.mark.usefixtures("committed")
def test_one_of_several_concurrent_registrations_of_a_name_succeeds() -> None:
    ends = ended_together(*[lambda: register(username="alice", password=GOOD)] * 4)
    assert [type(end.exception()) for end in ends if end.exception()] == [NameTaken] * 3
    assert User.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_a_wrong_password_or_a_closed_account_cannot_sign_in(person: Any) -> None:
    person("alice", GOOD), person("closed", GOOD, is_active=False), person("guest")
    assert signs_in("alice", "another-long-one") is None
    assert signs_in("closed") is None
    assert signs_in("nobody") is None
    assert signs_in("guest", "") is None
