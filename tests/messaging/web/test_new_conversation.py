"""People are found by name when someone writes to them, invites them or adds them to a group, also without scripts."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import ContactInvitation, User
from conversations.contacts.blocks import block
from conversations.models import Conversation
from tests.accounts.visitor import Visitor, here, words

pytestmark = pytest.mark.django_db
NEW = "/conversations/new"


@pytest.fixture
def family(person: Callable[..., User]) -> list[User]:
    return [person(f"m{n}", display_name=name) for n, name in ((177, "Miller Anna"), (293, "Miller Ben"))]


def write_to(visitor: Visitor, name: str) -> Any:
    """Submit the form for one person with a name."""
    visitor.get(NEW)
    token = visitor.client.cookies["csrftoken"].value
    sent = {"csrfmiddlewaretoken": token, "kind": "direct", "direct-username": name}
    return visitor.client.post(NEW, sent, follow=True)


def make_group(visitor: Visitor, *names: str) -> Any:
    visitor.get(NEW)
    token = visitor.client.cookies["csrftoken"].value
    sent = {"csrfmiddlewaretoken": token, "kind": "group", "group-name": "Family", "group-people": list(names)}
    return visitor.client.post(NEW, sent, follow=True)


def test_a_name_that_is_no_username_is_looked_for(alice: User, family: list[User]) -> None:
    answer = write_to(Visitor(alice), "miller")
    assert answer.status_code == 400
    assert "Is it one of these? MA Miller Anna @m177 MB Miller Ben @m293" in words(answer)
    assert 'type="radio"' in answer.content.decode()
    assert here(write_to(Visitor(alice), "m177")).startswith("/conversations/0")


def test_people_who_accept_no_messages_are_not_offered(alice: User, family: list[User]) -> None:
    block(by=family[0], other=alice)
    assert "Miller Ben" in words(write_to(Visitor(alice), "Miller"))
    assert "Miller Anna" not in words(write_to(Visitor(alice), "Miller"))


def test_a_name_that_nobody_has_finds_nobody(alice: User) -> None:
    answer = write_to(Visitor(alice), "Nobody at all")
    assert "There is nobody called nobody at all." in words(answer)
    assert "Is it one of these?" not in words(answer)


def test_several_are_chosen_for_a_group(alice: User, bob: User, family: list[User]) -> None:
    answer = make_group(Visitor(alice), "bob, Miller")
    assert "Miller Anna" in words(answer)
    # The recognized names stay in their field, and so does the name of the group.
    assert 'value="bob"' in answer.content.decode()
    assert 'value="Family"' in answer.content.decode()

    assert here(make_group(Visitor(alice), "bob", "m177", "m293")).startswith("/conversations/0")
    group = Conversation.objects.get(name="Family")
    assert set(group.participants.values_list("user__username", flat=True)) == {"alice", "bob", "m177", "m293"}


def test_people_are_found_for_a_group_that_is_there(alice: User, group: Conversation, family: list[User]) -> None:
    visitor, about = Visitor(alice), f"/conversations/{group.pk}/info"
    answer = visitor.submit(about, f"/conversations/{group.pk}/people", **{"add-people": "Miller A"})
    assert "Miller Anna" in words(answer)
    assert "Miller Ben" not in words(answer)


def test_a_contact_is_found_by_name(alice: User, family: list[User]) -> None:
    answer = Visitor(alice).submit("/contacts", username="Miller")
    assert "Is it one of these?" in words(answer)
    Visitor(alice).submit("/contacts", username="m293")
    assert ContactInvitation.objects.get().receiver == family[1]
