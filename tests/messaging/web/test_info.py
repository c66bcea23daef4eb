"""The page about a conversation: what it offers to whom, and what its forms do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, InviteLink, Participant
from tests.accounts.visitor import Visitor, here, words
from tests.messaging.helpers import place


def about(conversation: Conversation, *further: object) -> str:
    """The address of the page about a conversation, or of something below the conversation."""
    return "/".join(map(str, ["/conversations", conversation.pk, *(further or ["info"])]))


def test_the_owner_is_offered_everything(alice: User, group: Conversation) -> None:
    page = words(Visitor(alice).get(about(group)))
    for offer in ("Make admin", "Remove", "Make a link", "Add people", "Hand the group over", "Delete this group"):
        assert offer in page
    assert "Leave this group" not in page


def test_a_member_is_offered_what_is_theirs(bob: User, group: Conversation) -> None:
    page = words(Visitor(bob).get(about(group)))
    assert "Leave this group" in page
    assert "Mute for" in page
    for offer in ("Make admin", "Remove", "Make a link", "Add people", "Hand the group over", "Delete this group"):
        assert offer not in page


def test_a_direct_conversation_has_a_profile_behind_it(alice: User, bob: User, conversation: Conversation) -> None:
    page = Visitor(alice).get(about(conversation))
    assert f'href="/people/{bob.pk}"' in page.content.decode()
    assert "Mute for" in words(page)
    assert "About this group" not in words(page)


def test_strangers_find_no_such_page(mallory: User, group: Conversation) -> None:
    visitor = Visitor(mallory)
    assert visitor.get(about(group)).status_code == 404
    for path in ("me", "people", "links", "details", "transfer", "leave", "delete"):
        assert visitor.post(about(group, path), name="x").status_code == 404


def test_a_group_gets_another_name(alice: User, group: Conversation) -> None:
    answer = Visitor(alice).submit(
        about(group), about(group, "details"), **{"details-name": "Orchard", "details-description": "Apples"}
    )
    assert here(answer) == about(group)
    assert "Orchard" in words(answer)
    group.refresh_from_db()
    assert (group.name, group.description) == ("Orchard", "Apples")


def test_errors_are_shown_at_their_field(alice: User, group: Conversation) -> None:
    answer = Visitor(alice).submit(about(group), about(group, "people"), **{"add-people": "nobody"})
    assert answer.status_code == 400
    assert "There is nobody called nobody." in words(answer)


def test_people_are_added_promoted_and_removed(alice: User, bob: User, mallory: User, group: Conversation) -> None:
    visitor = Visitor(alice)
    assert "They are in." in words(visitor.submit(about(group), about(group, "people"), **{"add-people": "@mallory"}))
    visitor.post(about(group, "people", bob.pk, "role"), role="admin")
    assert place(bob, group).role == Participant.Role.ADMIN
    visitor.submit(about(group), about(group, "people", mallory.pk, "remove"))
    assert place(mallory, group).left_at
    assert "@mallory" not in words(visitor.get(about(group)))


def test_what_a_member_may_not_do_is_refused_kindly(bob: User, carol: User, group: Conversation) -> None:
    answer = Visitor(bob).post(about(group, "people", carol.pk, "remove"))
    assert here(answer) == about(group)
    assert "Only the admins of this group can do that." in words(answer)


def test_an_owner_leaves_after_handing_over(alice: User, bob: User, group: Conversation) -> None:
    visitor = Visitor(alice)
    assert "Transfer it to someone first." in words(visitor.post(about(group, "leave")))
    visitor.submit(about(group), about(group, "transfer"), **{"transfer-to": str(bob.pk)})
    answer = visitor.submit(about(group), about(group, "leave"))
    assert here(answer) == "/"
    assert "You have left the group." in words(answer)


def test_a_group_is_deleted_by_its_owner(alice: User, group: Conversation) -> None:
    answer = Visitor(alice).submit(about(group), about(group, "delete"))
    assert "The group is deleted." in words(answer)
    assert not Conversation.objects.filter(pk=group.pk).exists()


def test_a_link_is_shown_once_and_revoked(alice: User, group: Conversation) -> None:
    visitor = Visitor(alice)
    answer = visitor.submit(about(group), about(group, "links"), **{"link-lasts": "3600", "link-max_uses": "3"})
    assert "/join/" in answer.content.decode()
    assert "/join/" not in visitor.get(about(group)).content.decode()
    link = InviteLink.objects.get()
    assert link.max_uses == 3
    assert link.expires_at
    assert link.expires_at - timezone.now() < timedelta(hours=1)
    assert "The link is revoked." in words(visitor.submit(about(group), about(group, "links", link.pk, "revoke")))


@pytest.mark.parametrize(
    ("said", "name", "value"),
    [
        ({"pinned": "true"}, "pinned", True),
        ({"archived": "true"}, "archived", True),
        ({"notify": "mentions"}, "notify", "mentions"),
    ],
)
def test_each_personal_setting_has_a_button(
    bob: User, group: Conversation, said: dict[str, str], name: str, value: object
) -> None:
    answer = Visitor(bob).post(about(group, "me"), **said)
    assert here(answer) == about(group)
    assert getattr(place(bob, group), name) == value


def test_a_conversation_is_muted_for_a_while_or_for_good_and_unmuted(bob: User, group: Conversation) -> None:
    visitor = Visitor(bob)
    assert "Muted until" in words(visitor.post(about(group, "me"), mute="3600"))
    assert "Muted until you turn it on." in words(visitor.post(about(group, "me"), mute="-1"))
    assert "Mute for" in words(visitor.post(about(group, "me"), mute="0"))
    assert place(bob, group).muted_until is None


def test_archived_conversations_have_a_page_of_their_own(bob: User, group: Conversation) -> None:
    visitor = Visitor(bob)
    visitor.post(about(group, "me"), archived="true")
    assert "Garden" not in words(visitor.get("/"))
    assert "Archived 1" in words(visitor.get("/"))
    assert "Garden" in words(visitor.get("/archived"))
