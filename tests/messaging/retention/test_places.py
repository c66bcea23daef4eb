"""What someone settles for themselves about a conversation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from chatproject.core.errors import Invalid
from conversations.models import Conversation
from conversations.personal_settings import update_settings
from messaging.sync.inbox import show_conversation
from tests.messaging.helpers import place
from tests.support.together import together

TOMORROW = datetime(2999, 1, 31, 12, tzinfo=UTC)


def settle(by: User, conversation: Conversation, **what: Any) -> None:
    update_settings(by=by, conversation_id=conversation.pk, **what)


def me(by: User, conversation: Conversation) -> dict[str, Any]:
    shown: dict[str, Any] = show_conversation(by=by, conversation_id=conversation.pk)["me"]
    return shown


def version(user: User) -> int:
    return User.objects.get(pk=user.pk).version


@pytest.mark.parametrize(
    ("name", "value", "shown", "default"),
    [
        ("notify", "mentions", "mentions", "all"),
        ("notify", "none", "none", "all"),
        ("muted_until", TOMORROW, "2999-01-31T12:00:00.000Z", None),
        ("muted_until", TOMORROW.replace(year=2001), "2001-01-31T12:00:00.000Z", None),
        ("pinned", True, True, False),
        ("archived", True, True, False),
        ("draft", " Dear 🌻\n", " Dear 🌻\n", ""),
        ("draft", "x" * 16_000, "x" * 16_000, ""),
    ],
)
def test_what_is_settled_is_shown_to_oneself_alone_and_can_be_taken_back(
    name: str, value: Any, shown: Any, default: Any, conversation: Conversation, alice: User, bob: User
) -> None:
    settle(alice, conversation, **{name: value})
    assert (me(alice, conversation)[name], me(bob, conversation)[name]) == (shown, default)
    settle(alice, conversation, **{name: default})
    assert me(alice, conversation)[name] == default


def test_what_is_not_named_stays_as_it_is(conversation: Conversation, alice: User) -> None:
    settle(alice, conversation, pinned=True, draft="Dear Bob")
    settle(alice, conversation, notify="none")
    settle(alice, conversation)
    assert me(alice, conversation).items() >= {"pinned": True, "draft": "Dear Bob", "notify": "none"}.items()


@pytest.mark.parametrize("what", [{"pinned": True}, {"draft": "Dear Bob"}, {"muted_until": TOMORROW}])
def test_a_change_counts_once_and_the_same_again_is_none(
    what: dict[str, Any], conversation: Conversation, alice: User, bob: User
) -> None:
    before = version(alice), version(bob), Conversation.objects.get().version
    earlier = place(alice, conversation).changed_at
    settle(alice, conversation, **what)
    settle(alice, conversation, **what)
    assert (version(alice), version(bob), Conversation.objects.get().version) == (before[0] + 1, *before[1:])
    assert place(alice, conversation).me_version == before[0] + 1
    assert place(alice, conversation).changed_at > earlier


def test_nothing_that_is_so_already_changes_anything(conversation: Conversation, alice: User) -> None:
    before = version(alice)
    for what in ({"notify": "all"}, {"muted_until": None}, {"pinned": False}, {"draft": ""}, {"draft": None}, {}):
        settle(alice, conversation, **what)
    assert version(alice) == before


def test_a_draft_lies_sealed(conversation: Conversation, alice: User) -> None:
    settle(alice, conversation, draft="Dear Bob")
    stored = bytes(place(alice, conversation).draft or b"")
    assert len(stored) > len("Dear Bob")
    assert b"Dear" not in stored
    settle(alice, conversation, draft=None)
    assert place(alice, conversation).draft is None


@pytest.mark.parametrize(
    ("what", "pointer"),
    [
        ({"notify": "some"}, "/notify"),
        ({"draft": "x" * 16_001}, "/draft"),
        ({"draft": "a\0b"}, "/draft"),
        ({"draft": "\ud83d"}, "/draft"),
    ],
)
def test_what_can_not_be_is_refused(
    what: dict[str, Any], pointer: str, conversation: Conversation, alice: User
) -> None:
    with pytest.raises(Invalid) as refusal:
        settle(alice, conversation, pinned=True, **what)
    assert refusal.value.pointer == pointer
    assert not me(alice, conversation)["pinned"]


def test_there_is_nothing_else_to_settle(conversation: Conversation, alice: User) -> None:
    with pytest.raises(TypeError):
        settle(alice, conversation, visible_from=0)


def test_strangers_and_those_who_left_settle_nothing(group: Conversation, bob: User, mallory: User) -> None:
    Conversation.objects.get(pk=group.pk).participants.filter(user=bob).update(
        left_at=timezone.now() - timedelta(minutes=1), left_version=1
    )
    for by in (bob, mallory):
        with pytest.raises(Conversation.DoesNotExist):
            settle(by, group, pinned=True)


def test_what_two_devices_settle_at_once_is_kept_of_both(
    committed: None, conversation: Conversation, alice: User
) -> None:
    before = version(alice)
    together(
        *(lambda n=n: settle(alice, conversation, draft=f"Draft {n}") for n in range(4)),
        *(lambda name=name: settle(alice, conversation, **{name: True}) for name in ("pinned", "archived")),
    )
    mine = me(alice, conversation)
    assert mine.items() >= {"pinned": True, "archived": True}.items()
    assert mine["draft"].startswith("Draft ")
    assert version(alice) == before + 6
