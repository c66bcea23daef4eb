"""Blocking people: what a block ends, and what the blocked person can't see."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Block, User
from accounts.people.contact_lists import list_blocked, list_contacts, list_invitations
from accounts.people.relationships import make_contacts
from chatproject.core.errors import Blocked, Unprocessable
from conversations.contacts.blocks import block, unblock
from conversations.contacts.invitations import accept_invitation, invite
from conversations.models import Conversation
from messaging.sync.inbox import show_conversation
from tests.accounts.conftest import Rest, code, data


def versions(*people: User) -> list[int]:
    return [User.objects.get(pk=user.pk).version for user in people]


def invitations(user: User) -> list[Any]:
    return list(list_invitations(by=user).items)


def test_only_the_blocker_sees_a_block(alice: User, bob: User, carol: User) -> None:
    block(by=alice, other=bob)
    block(by=alice, other=carol)
    assert [each["user"]["username"] for each in list_blocked(by=alice).items] == ["carol", "bob"]
    assert list_blocked(by=bob).items == []


def test_repeated_blocks_and_unblocks_are_published_once_to_the_blocker_only(alice: User, bob: User) -> None:
    for _ in range(2):
        block(by=alice, other=bob)
    assert versions(alice, bob) == [1, 0]
    for _ in range(2):
        unblock(by=alice, other_id=bob.pk)
    assert versions(alice, bob) == [2, 0]


def test_a_block_ends_a_contact_and_an_unblock_does_not_restore_it(alice: User, bob: User) -> None:
    make_contacts(alice.pk, bob.pk)
    block(by=alice, other=bob)
    unblock(by=alice, other_id=bob.pk)
    assert list_contacts(by=alice).items == list_contacts(by=bob).items == []


def test_nobody_blocks_themselves(alice: User) -> None:
    with pytest.raises(Unprocessable):
        block(by=alice, other=alice)


def test_a_block_withdraws_the_sent_invitation_and_hides_the_received_one(alice: User, bob: User, carol: User) -> None:
    invite(by=alice, to=bob)
    invite(by=carol, to=alice)
    before = invitations(carol)
    block(by=alice, other=bob)
    block(by=alice, other=carol)
    assert invitations(alice) == invitations(bob) == []
    assert invitations(carol) == before


def test_an_invitation_to_someone_who_has_blocked_me_looks_like_any_other_and_never_arrives(
    rest: Rest, alice: User, bob: User, carol: User
) -> None:
    block(by=bob, other=alice)
    before = versions(bob)
    client = rest(alice)
    answers = [client.send("post", "/contacts/invitations", {"to": {"id": str(user.pk)}}) for user in (bob, carol)]
    assert [data(answer, 201).keys() for answer in answers] == [data(answers[0], 201).keys()] * 2
    assert len(invitations(alice)) == 2
    assert invitations(bob) == []
    assert versions(bob) == before
    again = client.send("post", "/contacts/invitations", {"to": {"id": str(bob.pk)}})
    assert data(again) == data(answers[0], 201)


def test_an_invitation_that_never_arrived_can_not_be_answered(rest: Rest, alice: User, bob: User) -> None:
    block(by=bob, other=alice)
    invitation, _ = invite(by=alice, to=bob)
    unblock(by=bob, other_id=alice.pk)
    assert code(rest(bob).send("post", f"/contacts/invitations/{invitation.pk}/accept")) == (404, "not_found")


def test_after_an_unblock_an_invitation_arrives_if_it_is_sent_again(alice: User, bob: User) -> None:
    block(by=bob, other=alice)
    invite(by=alice, to=bob)
    unblock(by=bob, other_id=alice.pk)
    invitation, _ = invite(by=alice, to=bob)
    assert len(invitations(bob)) == 1
    assert accept_invitation(by=bob, invitation_id=invitation.pk).accepted


def test_inviting_someone_requires_unblocking_them(alice: User, bob: User) -> None:
    block(by=alice, other=bob)
    with pytest.raises(Blocked):
        invite(by=alice, to=bob)


def test_neither_profile_nor_search_nor_conversation_reveals_a_block(
    rest: Rest, alice: User, bob: User, conversation: Conversation
) -> None:
    client = rest(alice)

    def seen() -> list[Any]:
        found = client.get("/users", search="bob"), client.get(f"/users/{bob.pk}"), client.get("/contacts")
        shown = show_conversation(by=alice, conversation_id=conversation.pk)
        # The epoch changes with permissions; a client can see only that it has changed.
        return [*(each.json() for each in found), shown | {"epoch": None}]

    before = seen()
    block(by=bob, other=alice)
    assert seen() == before
    assert data(client.get("/users/blocked")) == []


# REST


def test_blocks_through_the_api(rest: Rest, alice: User, bob: User) -> None:
    client, path = rest(alice), f"/users/{bob.pk}/block"
    for _ in range(2):
        assert client.send("put", path).status_code == 204
    assert [each["user"]["id"] for each in data(client.get("/users/blocked"))] == [str(bob.pk)]
    for _ in range(2):
        assert client.send("delete", path).status_code == 204
    assert data(client.get("/users/blocked")) == []


@pytest.mark.parametrize(
    ("id", "refusal"),
    [
        ("01890a5d-ac96-774b-bcce-b302099a8057", (404, "not_found")),
        ("bob", (400, "invalid")),
        ("{alice}", (422, "unprocessable")),
    ],
)
def test_invalid_blocks_are_refused(rest: Rest, alice: User, id: str, refusal: tuple[int, str]) -> None:
    assert code(rest(alice).send("put", f"/users/{id.format(alice=alice.pk)}/block")) == refusal
    assert not Block.objects.exists()


def test_the_list_of_blocked_people_is_paginated(rest: Rest, alice: User, person: Callable[..., User]) -> None:
    for name in ("dave", "erin", "frank"):
        block(by=alice, other=person(name))
    client = rest(alice)
    first = client.get("/users/blocked", limit=2).json()
    then = client.get("/users/blocked", limit=2, cursor=first["pagination"]["next"]).json()
    shown = [each["user"]["username"] for each in first["data"] + then["data"]]
    assert shown == ["frank", "erin", "dave"]
