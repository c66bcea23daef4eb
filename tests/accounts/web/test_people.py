"""Contacts, invitations and blocks as pages."""

import pytest

from accounts.models import User
from accounts.people.relationships import make_contacts
from conversations.contacts.invitations import invite
from conversations.creation import start_direct
from tests.accounts.visitor import Visitor, here, words


def test_someone_is_invited_by_name_and_says_yes(alice: User, bob: User) -> None:
    hers, his = Visitor(alice), Visitor(bob)
    assert "Your invitation is with Bob." in words(hers.submit("/contacts", username="@BOB"))
    assert "Waiting for an answer B Bob" in words(hers.get("/contacts"))

    invitation = bob.invitations_received.get()
    answer = his.submit("/contacts", f"/contacts/invitations/{invitation.pk}/accept")
    assert "You are contacts now." in words(answer)
    assert "Your contacts A Alice @alice" in words(answer)
    assert "Your contacts B Bob @bob" in words(hers.get("/contacts"))


def test_an_invitation_is_declined(alice: User, bob: User) -> None:
    invitation = invite(by=alice, to=bob)[0]
    answer = Visitor(bob).submit("/contacts", f"/contacts/invitations/{invitation.pk}/decline")
    assert "The invitation is declined." in words(answer)
    assert "Nobody yet." in words(answer)
    assert "Waiting" not in words(Visitor(alice).get("/contacts"))


def test_inviting_someone_who_has_asked_already_makes_contacts(alice: User, bob: User) -> None:
    invite(by=bob, to=alice)
    assert "You and Bob are contacts now." in words(Visitor(alice).submit("/contacts", username="bob"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nobody", "There is nobody called nobody."),
        ("alice", "You can't invite yourself."),
        ("bob", "You are contacts already."),
        ("", "This field is required."),
    ],
)
def test_a_refusal_is_shown_at_the_field(alice: User, bob: User, name: str, reason: str) -> None:
    make_contacts(alice.pk, bob.pk)
    answer = Visitor(alice).submit("/contacts", username=name)
    assert (answer.status_code, here(answer)) == (400, "/contacts")
    assert reason in words(answer)


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_nobody_answers_for_someone_else(alice: User, bob: User, mallory: User, answer: str) -> None:
    invitation = invite(by=alice, to=bob)[0]
    assert Visitor(mallory).post(f"/contacts/invitations/{invitation.pk}/{answer}").status_code == 404
    invitation.refresh_from_db()
    assert invitation.accepted is None


def test_an_invitation_is_answered_once(alice: User, bob: User) -> None:
    invitation, visitor = invite(by=alice, to=bob)[0], Visitor(bob)
    visitor.post(f"/contacts/invitations/{invitation.pk}/decline")
    answer = visitor.post(f"/contacts/invitations/{invitation.pk}/accept")
    assert "This invitation has been answered already." in words(answer)
    assert "Nobody yet." in words(answer)


def test_a_contact_is_removed_on_their_page(alice: User, bob: User) -> None:
    make_contacts(alice.pk, bob.pk)
    answer = Visitor(alice).submit(f"/people/{bob.pk}", f"/contacts/{bob.pk}/remove")
    assert "You are no contacts any more." in words(answer)
    assert "Nobody yet." in words(answer)


def test_a_conversation_starts_from_the_list_of_contacts(alice: User, bob: User) -> None:
    make_contacts(alice.pk, bob.pk)
    answer = Visitor(alice).submit("/contacts", "/conversations/new")
    assert here(answer) == f"/conversations/{start_direct(by=alice, to=bob)[0].pk}"


def test_someone_is_invited_on_their_page(alice: User, bob: User) -> None:
    answer = Visitor(alice).submit(f"/people/{bob.pk}", f"/people/{bob.pk}/invite")
    assert here(answer) == f"/people/{bob.pk}"
    assert "Your invitation is waiting for an answer." in words(answer)
    assert "Accept the invitation" in words(Visitor(bob).get(f"/people/{alice.pk}"))


def test_someone_is_blocked_and_unblocked_on_their_page(alice: User, mallory: User) -> None:
    visitor, page = Visitor(alice), f"/people/{mallory.pk}"
    answer = visitor.submit(page, f"{page}/block")
    assert "Mallory is blocked." in words(answer)
    assert "Write" not in words(answer)
    assert "Block Whoever" in words(visitor.submit(page, f"{page}/unblock"))


def test_the_page_of_who_blocked_me_tells_nothing(alice: User, mallory: User) -> None:
    visitor = Visitor(mallory)
    before = words(visitor.get(f"/people/{alice.pk}"))
    Visitor(alice).post(f"/people/{mallory.pk}/block")
    assert words(visitor.get(f"/people/{alice.pk}")) == before


def test_nobody_blocks_themselves(alice: User) -> None:
    visitor = Visitor(alice)
    assert "Block" not in words(visitor.get(f"/people/{alice.pk}"))
    assert "You can't block yourself." in words(visitor.post(f"/people/{alice.pk}/block"))


@pytest.mark.parametrize("cursor", ["x", "eyJhIjoxfQ:1:2"])
def test_an_invalid_cursor_is_not_found(alice: User, cursor: str) -> None:
    assert Visitor(alice).get(f"/contacts?cursor={cursor}").status_code == 404
    assert Visitor(alice).get(f"/settings/blocked?cursor={cursor}").status_code == 404
