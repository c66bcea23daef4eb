"""The name, description and history setting of a group, and what newcomers can read."""

import pytest

from accounts.models import User
from chatproject.core.errors import Invalid, Unprocessable
from conversations import groups
from conversations.creation import create_group
from conversations.models import Conversation
from messaging.messages.send import send_message
from tests.conversations.group_helpers import add, notices, texts, version


def test_a_new_name_creates_a_notice_but_a_new_description_does_not(group: Conversation, alice: User) -> None:
    before = version(group)
    changed = groups.update_group(by=alice, conversation_id=group.pk, name=" Orchard ", description=" apples ")
    assert (changed.name, changed.description) == ("Orchard", "apples")
    assert notices(group, alice)[1:] == [("renamed", "alice", [], "Orchard")]
    assert version(group) == (before[0] + 2, before[1])
    assert Conversation.objects.get().details_version == before[0] + 1


def test_equal_details_change_nothing(group: Conversation, alice: User) -> None:
    before = version(group)
    groups.update_group(by=alice, conversation_id=group.pk, name="Garden ", description="", history="joined")
    groups.update_group(by=alice, conversation_id=group.pk)
    assert version(group) == before


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"name": " "}, Unprocessable),
        ({"name": "x" * 101}, Invalid),
        ({"description": "x" * 501}, Invalid),
        ({"description": "half \ud83d"}, Invalid),
        ({"history": "forgotten"}, Invalid),
    ],
    ids=str,
)
def test_invalid_details_are_refused(
    fields: dict[str, str], refusal: type[Invalid], group: Conversation, alice: User
) -> None:
    with pytest.raises(refusal) as refused:
        groups.update_group(by=alice, conversation_id=group.pk, **fields)
    assert refused.value.pointer == f"/{next(iter(fields))}"


def test_a_newcomer_sees_messages_from_the_notice_about_them_on(
    group: Conversation, alice: User, mallory: User
) -> None:
    send_message(by=alice, conversation_id=group.pk, text="Before")
    add(alice, group, mallory)
    send_message(by=alice, conversation_id=group.pk, text="After")
    assert texts(group, mallory) == ["After"]
    assert notices(group, mallory) == [("joined", "alice", ["mallory"], None)]


def test_a_shared_history_starts_when_it_is_shared(group: Conversation, alice: User, mallory: User, dave: User) -> None:
    for text, shared in (("One", "shared"), ("Two", "shared"), ("Three", "joined"), ("Four", "shared")):
        send_message(by=alice, conversation_id=group.pk, text=text)
        groups.update_group(by=alice, conversation_id=group.pk, history=shared)
        if text == "Two":
            add(alice, group, mallory)
    send_message(by=alice, conversation_id=group.pk, text="Five")
    add(alice, group, dave)
    assert texts(group, mallory) == ["Two", "Three", "Four", "Five"]
    assert texts(group, dave) == ["Five"]


def test_a_group_created_with_a_shared_history_shows_all_messages(alice: User, bob: User) -> None:
    group = create_group(by=alice, name="Open", history="shared")
    send_message(by=alice, conversation_id=group.pk, text="First")
    add(alice, group, bob)
    assert texts(group, bob) == ["First"]
