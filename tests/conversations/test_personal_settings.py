"""Personal settings of a conversation."""

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


def change(by: User, conversation: Conversation, **what: Any) -> None:
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
def test_personal_settings_are_shown_to_oneself_alone_and_can_be_reset(
    name: str, value: Any, shown: Any, default: Any, conversation: Conversation, alice: User, bob: User
) -> None:
    change(alice, conversation, **{name: value})
    assert (me(alice, conversation)[name], me(bob, conversation)[name]) == (shown, default)
    change(alice, conversation, **{name: default})
    assert me(alice, conversation)[name] == default


def test_settings_that_are_not_named_stay_as_they_are(conversation: Conversation, alice: User) -> None:
    change(alice, conversation, pinned=True, draft="Dear Bob")
    change(alice, conversation, notify="none")
    change(alice, conversation)
    assert me(alice, conversation).items() >= {"pinned": True, "draft": "Dear Bob", "notify": "none"}.items()


@pytest.mark.parametrize("what", [{"pinned": True}, {"draft": "Dear Bob"}, {"muted_until": TOMORROW}])
def test_a_change_bumps_the_version_once_and_the_same_again_does_not(
    what: dict[str, Any], conversation: Conversation, alice: User, bob: User
) -> None:
    before = version(alice), version(bob), Conversation.objects.get().version
    earlier = place(alice, conversation).changed_at
    change(alice, conversation, **what)
    change(alice, conversation, **what)
    assert (version(alice), version(bob), Conversation.objects.get().version) == (before[0] + 1, *before[1:])
    assert place(alice, conversation).me_version == before[0] + 1
    assert place(alice, conversation).changed_at > earlier


def test_settings_that_have_the_value_already_change_nothing(conversation: Conversation, alice: User) -> None:
    before = version(alice)
    for what in ({"notify": "all"}, {"muted_until": None}, {"pinned": False}, {"draft": ""}, {"draft": None}, {}):
        change(alice, conversation, **what)
    assert version(alice) == before


def test_a_draft_is_stored_encrypted(conversation: Conversation, alice: User) -> None:
    change(alice, conversation, draft="Dear Bob")
    stored = bytes(place(alice, conversation).draft or b"")
    assert len(stored) > len("Dear Bob")
    assert b"Dear" not in stored
    change(alice, conversation, draft=None)
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
def test_invalid_settings_are_refused(
    what: dict[str, Any], pointer: str, conversation: Conversation, alice: User
) -> None:
    with pytest.raises(Invalid) as refusal:
        change(alice, conversation, pinned=True, **what)
    assert refusal.value.pointer == pointer
    assert not me(alice, conversation)["pinned"]


def test_other_settings_are_refused(conversation: Conversation, alice: User) -> None:
    with pytest.raises(TypeError):
        change(alice, conversation, visible_from=0)


def test_strangers_and_former_members_change_no_settings(group: Conversation, bob: User, mallory: User) -> None:
    Conversation.objects.get(pk=group.pk).participants.filter(user=bob).update(
        left_at=timezone.now() - timedelta(minutes=1), left_version=1
    )
    for by in (bob, mallory):
        with pytest.raises(Conversation.DoesNotExist):
            change(by, group, pinned=True)


def test_changes_of_two_devices_at_once_are_both_kept(committed: None, conversation: Conversation, alice: User) -> None:
    before = version(alice)
    together(
        *(lambda n=n: change(alice, conversation, draft=f"Draft {n}") for n in range(4)),
        *(lambda name=name: change(alice, conversation, **{name: True}) for name in ("pinned", "archived")),
    )
    mine = me(alice, conversation)
    assert mine.items() >= {"pinned": True, "archived": True}.items()
    assert mine["draft"].startswith("Draft ")
    assert version(alice) == before + 6
