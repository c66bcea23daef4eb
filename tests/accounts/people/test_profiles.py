"""Naming people."""

import pytest

from accounts.models import User
from accounts.people.profiles import own_json, user_json
from accounts.people.references import Reference, find_user, find_users
from accounts.people.relationships import make_contacts
from chatproject.core.ids import uuid7

WALLET = "0xabCDeF0123456789AbcdEf0123456789aBCDEF01"


@pytest.fixture
def rich(alice: User) -> User:
    User.objects.filter(pk=alice.pk).update(wallet_address=WALLET, email="alice@example.org")
    alice.refresh_from_db()
    return alice


@pytest.mark.parametrize("kind", ["id", "username", "wallet"])
def test_a_person_is_found_by_id_name_and_wallet_whatever_the_case(kind: str, rich: User) -> None:
    references: dict[str, Reference] = {
        "id": {"id": rich.pk},
        "username": {"username": "ALICE"},
        "wallet": {"wallet": WALLET.lower()},
    }
    assert find_user(references[kind], by=rich) == rich
    assert find_users([references[kind]], by=rich) == [rich]


def test_a_wallet_names_its_person_to_contacts_alone(rich: User, bob: User, mallory: User) -> None:
    make_contacts(rich.pk, bob.pk)
    wallet: Reference = {"wallet": WALLET}
    assert find_user(wallet, by=bob) == rich
    assert find_users([wallet], by=bob) == [rich]
    for search in (lambda: find_user(wallet, by=mallory), lambda: find_users([wallet], by=mallory)):
        with pytest.raises(User.DoesNotExist):
            search()


@pytest.mark.parametrize("other", ["id", "username"])
def test_nobody_learns_whose_a_wallet_is_by_naming_someone_twice(rich: User, mallory: User, other: str) -> None:
    named: Reference = {"id": rich.pk} if other == "id" else {"username": "alice"}
    with pytest.raises(User.DoesNotExist):
        find_users([named, {"wallet": WALLET}], by=mallory)


def test_a_closed_account_and_nobody_are_not_found(alice: User, bob: User) -> None:
    make_contacts(alice.pk, bob.pk)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    for reference in ({"username": "alice"}, {"id": uuid7()}, {"wallet": WALLET}):
        with pytest.raises(User.DoesNotExist):
            find_user(reference, by=bob)


def test_people_named_twice_come_once_and_one_missing_spoils_it(rich: User, bob: User) -> None:
    twice: list[Reference] = [{"username": "alice"}, {"id": rich.pk}, {"username": "Bob"}]
    assert {user.username for user in find_users(twice, by=bob)} == {"alice", "bob"}
    with pytest.raises(User.DoesNotExist):
        find_users([*twice, {"username": "nobody"}], by=bob)


def test_email_and_wallet_are_shown_to_oneself_alone(rich: User) -> None:
    assert own_json(rich).items() >= {**user_json(rich), "email": "alice@example.org", "wallet": WALLET}.items()
    assert user_json(rich).keys().isdisjoint({"email", "wallet"})


def test_who_has_no_other_name_goes_by_the_username() -> None:
    assert user_json(User(username="dave"))["display_name"] == "dave"
