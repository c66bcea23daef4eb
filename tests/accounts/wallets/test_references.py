"""Naming people by their wallet in calls of the API."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from accounts.people.relationships import make_contacts
from conversations.models import Conversation
from tests.accounts.conftest import Rest, code, data, pointers
from tests.support.wallet import Wallet, give_wallet


def test_a_wallet_names_its_person_in_any_case(rest: Rest, alice: User, bob: User) -> None:
    give_wallet(bob)
    make_contacts(alice.pk, bob.pk)
    digits = Wallet().address[2:]
    for written in (digits, digits.lower(), digits.upper()):
        answer = rest(alice).send("post", "/conversations", {"kind": "direct", "to": {"wallet": f"0x{written}"}})
        assert answer.json()["data"]["name"] == "Bob"
    answer = rest(alice).send("post", "/conversations", {"kind": "direct", "to": {"wallet": f"0x{digits.swapcase()}"}})
    assert pointers(answer) == ["/to"]


# How each call names a person, and what a contact gets.
NAMING: dict[str, tuple[Callable[[Any], dict[str, Any]], int]] = {
    "/conversations": (lambda who: {"kind": "direct", "to": who}, 201),
    "/conversations?group": (lambda who: {"kind": "group", "name": "G", "participants": [who]}, 201),
    "/conversations/{group}/participants": (lambda who: {"users": [who]}, 200),
    "/conversations/{group}/transfer": (lambda who: {"to": who}, 404),
    "/contacts/invitations": (lambda who: {"to": who}, 409),
}


@pytest.mark.parametrize("call", NAMING)
def test_a_strangers_wallet_is_not_found(
    rest: Rest, alice: User, mallory: User, group: Conversation, call: str
) -> None:
    give_wallet(mallory)
    body, wanted = NAMING[call]
    path, caller = call.partition("?")[0].format(group=group.pk), rest(alice)
    known, unknown = (caller.send("post", path, body({"wallet": each.address})) for each in (Wallet(), Wallet(2)))
    assert code(known) == code(unknown) == (404, "not_found")
    assert known.json()["detail"] == unknown.json()["detail"]
    make_contacts(alice.pk, mallory.pk)
    assert caller.send("post", path, body({"wallet": Wallet().address})).status_code == wanted


def test_no_search_finds_a_person_by_the_wallet(rest: Rest, alice: User, mallory: User) -> None:
    give_wallet(mallory)
    make_contacts(alice.pk, mallory.pk)
    assert data(rest(alice).get("/users", search=Wallet().address)) == []
