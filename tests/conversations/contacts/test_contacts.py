"""Contacts and invitations to become contacts."""

from collections.abc import Callable

import pytest

from accounts.models import Contact, ContactInvitation, User
from accounts.people.contact_lists import list_contacts, list_invitations
from accounts.people.relationships import make_contacts
from chatproject.core.errors import Conflict, Unprocessable
from chatproject.core.ids import uuid7
from conversations.contacts.invitations import accept_invitation, decline_invitation, invite, remove_contact
from tests.accounts.conftest import Rest, code, data, pointers
from tests.support.together import ended_together, together


def contacts(user: User) -> list[str]:
    return [each["user"]["username"] for each in list_contacts(by=user).items]


def waiting(user: User) -> list[tuple[str, str]]:
    """The open invitations that a person sees: sender and receiver."""
    shown = list_invitations(by=user).items
    return [(each["sender"]["username"], each["receiver"]["username"]) for each in shown]


def versions(*people: User) -> list[int]:
    return [User.objects.get(pk=user.pk).version for user in people]


def test_an_open_invitation_is_listed_for_both_people_only(alice: User, bob: User, mallory: User) -> None:
    invitation, is_new = invite(by=alice, to=bob)
    assert is_new
    assert waiting(alice) == waiting(bob) == [("alice", "bob")]
    assert waiting(mallory) == contacts(alice) == contacts(bob) == []
    assert invitation.accepted is None
    assert versions(alice, bob, mallory) == [1, 1, 0]


def test_accepting_makes_both_people_contacts(alice: User, bob: User) -> None:
    invitation, _ = invite(by=alice, to=bob)
    assert accept_invitation(by=bob, invitation_id=invitation.pk).accepted
    assert (contacts(alice), contacts(bob)) == (["bob"], ["alice"])
    assert waiting(alice) == waiting(bob) == []
    assert versions(alice, bob) == [2, 2]


def test_after_a_decline_a_new_invitation_can_be_sent(alice: User, bob: User) -> None:
    declined = decline_invitation(by=bob, invitation_id=invite(by=alice, to=bob)[0].pk)
    assert declined.accepted is False
    assert waiting(alice) == waiting(bob) == contacts(alice) == []
    assert invite(by=alice, to=bob)[1]


def test_a_repeated_invitation_is_the_same_invitation(alice: User, bob: User) -> None:
    first, again = invite(by=alice, to=bob), invite(by=alice, to=bob)
    assert again == (first[0], False)
    assert versions(alice, bob) == [1, 1]


def test_inviting_back_accepts_the_invitation(alice: User, bob: User) -> None:
    first, _ = invite(by=alice, to=bob)
    answer, is_new = invite(by=bob, to=alice)
    assert (answer, answer.accepted, is_new) == (first, True, False)
    assert contacts(alice) == ["bob"]


@pytest.mark.parametrize("answer", [accept_invitation, decline_invitation])
def test_answering_again_changes_nothing(answer: Callable[..., ContactInvitation], alice: User, bob: User) -> None:
    invitation, _ = invite(by=alice, to=bob)
    first = answer(by=bob, invitation_id=invitation.pk)
    before = versions(alice, bob)
    assert answer(by=bob, invitation_id=invitation.pk).answered_at == first.answered_at
    assert versions(alice, bob) == before


@pytest.mark.parametrize(
    ("first", "then"), [(accept_invitation, decline_invitation), (decline_invitation, accept_invitation)]
)
def test_an_answer_can_not_be_changed(
    first: Callable[..., object], then: Callable[..., object], alice: User, bob: User
) -> None:
    invitation, _ = invite(by=alice, to=bob)
    first(by=bob, invitation_id=invitation.pk)
    before = contacts(bob)
    with pytest.raises(Conflict):
        then(by=bob, invitation_id=invitation.pk)
    assert contacts(bob) == before


@pytest.mark.parametrize("answer", [accept_invitation, decline_invitation])
def test_only_the_receiver_can_answer(answer: Callable[..., object], alice: User, bob: User, mallory: User) -> None:
    invitation, _ = invite(by=alice, to=bob)
    for user, id in ((alice, invitation.pk), (mallory, invitation.pk), (bob, uuid7())):
        with pytest.raises(ContactInvitation.DoesNotExist):
            answer(by=user, invitation_id=id)
    assert waiting(bob) == [("alice", "bob")]


def test_nobody_invites_a_contact_or_themselves(alice: User, bob: User) -> None:
    make_contacts(alice.pk, bob.pk)
    with pytest.raises(Conflict):
        invite(by=alice, to=bob)
    with pytest.raises(Unprocessable) as refused:
        invite(by=alice, to=alice)
    assert refused.value.pointer == "/to"


def test_a_contact_is_removed_on_both_sides_and_published_once(alice: User, bob: User, carol: User) -> None:
    make_contacts(alice.pk, bob.pk)
    make_contacts(alice.pk, carol.pk)
    for _ in range(2):
        remove_contact(by=bob, other_id=alice.pk)
    assert (contacts(alice), contacts(bob)) == (["carol"], [])
    assert versions(alice, bob, carol) == [1, 1, 0]


@pytest.mark.usefixtures("committed")
def test_two_people_who_invite_each_other_at_once_become_contacts(alice: User, bob: User) -> None:
    together(lambda: invite(by=alice, to=bob), lambda: invite(by=bob, to=alice))
    assert (contacts(alice), contacts(bob)) == (["bob"], ["alice"])
    assert waiting(alice) == []


@pytest.mark.usefixtures("committed")
def test_only_one_of_two_concurrent_answers_succeeds(alice: User, bob: User) -> None:
    id = invite(by=alice, to=bob)[0].pk
    ends = ended_together(
        lambda: accept_invitation(by=bob, invitation_id=id), lambda: decline_invitation(by=bob, invitation_id=id)
    )
    refused = [end.exception() for end in ends]
    assert sorted(type(error).__name__ for error in refused) == ["Conflict", "NoneType"]
    assert Contact.objects.count() == (2 if refused[0] is None else 0)


# REST


def test_an_invitation_is_sent_and_accepted_through_the_api(rest: Rest, alice: User, bob: User) -> None:
    hers, his = rest(alice), rest(bob)
    sent = data(hers.send("post", "/contacts/invitations", {"to": {"username": "Bob"}}), 201)
    assert sent["state"] == "open"
    assert (sent["sender"]["id"], sent["receiver"]["id"]) == (str(alice.pk), str(bob.pk))
    assert data(hers.send("post", "/contacts/invitations", {"to": {"id": str(bob.pk)}})) == sent
    assert data(his.get("/contacts/invitations")) == [sent]
    assert data(his.send("post", f"/contacts/invitations/{sent['id']}/accept")) == {**sent, "state": "accepted"}
    assert code(his.send("post", f"/contacts/invitations/{sent['id']}/decline")) == (409, "conflict")
    assert [each["user"]["username"] for each in data(hers.get("/contacts"))] == ["bob"]
    assert his.send("delete", f"/contacts/{alice.pk}").status_code == 204
    assert data(hers.get("/contacts")) == []


def test_an_invitation_can_be_declined_through_the_api(rest: Rest, alice: User, bob: User) -> None:
    invitation, _ = invite(by=alice, to=bob)
    answer = rest(bob).send("post", f"/contacts/invitations/{invitation.pk}/decline")
    assert data(answer)["state"] == "declined"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, "invalid")),
        ({"to": "bob"}, (400, "invalid")),
        ({"to": {"username": "nobody"}}, (404, "not_found")),
        ({"to": {"username": "alice"}}, (422, "unprocessable")),
        ({"to": {"username": "bob"}}, (409, "conflict")),
    ],
    ids=str,
)
def test_invalid_invitations_are_refused(
    rest: Rest, alice: User, bob: User, body: object, refusal: tuple[int, str]
) -> None:
    make_contacts(alice.pk, bob.pk)
    assert code(rest(alice).send("post", "/contacts/invitations", body)) == refusal
    assert not ContactInvitation.objects.exists()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/contacts/invitations/7/accept"),
        ("post", "/contacts/invitations/7/decline"),
        ("delete", "/contacts/7"),
    ],
)
def test_a_malformed_id_is_refused(rest: Rest, alice: User, method: str, path: str) -> None:
    assert pointers(rest(alice).send(method, path)) == ["/id"]


@pytest.mark.parametrize("path", ["/contacts", "/contacts/invitations"])
def test_lists_are_paginated(rest: Rest, alice: User, person: Callable[..., User], path: str) -> None:
    for name in ("dave", "erin", "frank"):
        user = person(name)
        invite(by=user, to=alice)
        make_contacts(alice.pk, user.pk) if path == "/contacts" else None
    client = rest(alice)
    first = client.get(path, limit=2).json()
    rest_of_it = client.get(path, limit=2, cursor=first["pagination"]["next"]).json()
    assert (len(first["data"]), len(rest_of_it["data"])) == (2, 1)
    assert not rest_of_it["pagination"]["has_more"]
    assert first["data"] + rest_of_it["data"] == data(client.get(path))
