"""Editing and deleting messages."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import User
from chatproject.core.errors import Blocked, IdConflict, Invalid, NotAllowed, Unprocessable
from chatproject.core.ids import uuid7
from conversations.models import Conversation, Participant
from messaging.messages.edit import delete_message, edit_message
from messaging.messages.json import MessageJSON
from messaging.messages.reactions import add_reaction
from messaging.models import Message
from messaging.sync.history import get_message
from tests.messaging.helpers import change_place, hold, remove, say, seat
from tests.support.together import another_connection, on_own_connection, until_blocked


def edit(by: User, message: MessageJSON, text: str = "Hello") -> MessageJSON:
    return edit_message(by=by, message_id=UUID(message["id"]), text=text)


def delete(by: User, message: MessageJSON) -> MessageJSON:
    return delete_message(by=by, message_id=UUID(message["id"]))


def version(conversation: Conversation) -> int:
    return Conversation.objects.get(pk=conversation.pk).version


def aged(message: MessageJSON, age: timedelta) -> None:
    Message.objects.filter(pk=message["id"]).update(created_at=timezone.now() - age)


def notice_of(group: Conversation) -> MessageJSON:
    return get_message(by=group.owner, message_id=Message.objects.get(conversation=group, kind="notice").pk)


# Wording it anew


def test_an_edited_message_has_the_new_text_at_its_old_position(
    conversation: Conversation, alice: User, bob: User
) -> None:
    said = say(alice, conversation, "Helo")
    say(bob, conversation)
    edited = edit(alice, said, "Hello ")
    assert edited == get_message(by=bob, message_id=UUID(said["id"]))
    assert edited["edited_at"]
    assert {**edited, "edited_at": None} == {**said, "text": "Hello ", "version": 3}
    conversation.refresh_from_db()
    assert (conversation.version, conversation.last_position) == (3, 2)


def test_the_former_text_is_not_kept(conversation: Conversation, alice: User) -> None:
    said = say(alice, conversation, "a secret")
    before = Message.objects.get(pk=said["id"])
    edit(alice, said, "b secret")
    after = Message.objects.get(pk=said["id"])
    assert bytes(after.body or b"") != bytes(before.body or b"")
    assert b"secret" not in bytes(after.body or b"")


def test_a_repeat_of_the_first_send_is_recognised_after_an_edit(conversation: Conversation, alice: User) -> None:
    said = say(alice, conversation, "Hi")
    edited = edit(alice, said)
    assert say(alice, conversation, "Hi", id=UUID(said["id"])) == edited
    with pytest.raises(IdConflict):
        say(alice, conversation, "Hello", id=UUID(said["id"]))


def test_the_same_text_again_changes_nothing(conversation: Conversation, alice: User) -> None:
    said = say(alice, conversation, "Hi")
    assert edit(alice, said, "Hi") == said
    assert version(conversation) == 1
    assert edit(alice, said, "Hi ")["version"] == 2


@pytest.mark.parametrize("text", ["", " \n", "x" * 16_001, "a\0b", "\ud83d"], ids=ascii)
def test_an_edit_follows_the_rules_for_texts(text: str, conversation: Conversation, alice: User) -> None:
    said = say(alice, conversation)
    with pytest.raises(Invalid) as refused:
        edit(alice, said, text)
    assert refused.value.pointer == "/text"
    assert version(conversation) == 1


@pytest.mark.parametrize(("seconds", "may"), [(24 * 3600 - 5, True), (24 * 3600 + 1, False)])
def test_a_message_can_be_edited_for_a_day(seconds: int, may: bool, conversation: Conversation, alice: User) -> None:
    said = say(alice, conversation)
    aged(said, timedelta(seconds=seconds))
    if may:
        assert edit(alice, said)["text"] == "Hello"
    else:
        with pytest.raises(NotAllowed):
            edit(alice, said)


def test_nobody_edits_the_messages_of_others(group: Conversation, alice: User, bob: User) -> None:
    with pytest.raises(NotAllowed):
        edit(alice, say(bob, group))


def test_a_barred_person_edits_nothing(conversation: Conversation, alice: User) -> None:
    said = say(alice, conversation)
    change_place(alice, conversation, barred=True)
    with pytest.raises(Blocked):
        edit(alice, said)


def test_a_deleted_message_and_a_notice_are_not_edited(group: Conversation, alice: User) -> None:
    said = say(alice, group)
    delete(alice, said)
    for message in (said, notice_of(group)):
        with pytest.raises(Unprocessable):
            edit(alice, message)


# Taking it back


def test_a_deleted_message_keeps_its_position_and_nothing_else(
    conversation: Conversation, alice: User, bob: User
) -> None:
    question = say(bob, conversation, "Tea?")
    said = say(alice, conversation, "Yes @bob", reply_to_id=UUID(question["id"]))
    add_reaction(by=bob, message_id=UUID(said["id"]), emoji="👍")
    gone = delete(alice, said)
    kept = ("id", "conversation_id", "position", "kind", "sender_id", "created_at")
    assert {name: gone[name] for name in kept} == {name: said[name] for name in kept}  # type: ignore[literal-required]
    assert (gone["text"], gone["reply_to_id"], gone["mentions"], gone["reactions"]) == ("", None, [], [])
    assert (gone["version"], bool(gone["deleted_at"])) == (4, True)
    stored = Message.objects.get(pk=said["id"])
    assert (stored.body, stored.fingerprint, stored.mentions) == (None, None, None)
    assert not stored.reactions.exists()


def test_deleting_again_changes_nothing_and_a_repeated_send_is_still_recognised(
    conversation: Conversation, alice: User
) -> None:
    said = say(alice, conversation, "Hi")
    gone = delete(alice, said)
    assert delete(alice, said) == gone
    assert say(alice, conversation, "Hi", id=UUID(said["id"])) == gone
    assert version(conversation) == 2


def test_ones_own_messages_can_be_deleted_at_any_time(conversation: Conversation, alice: User) -> None:
    said = say(alice, conversation)
    aged(said, timedelta(days=80))
    change_place(alice, conversation, barred=True)
    assert delete(alice, said)["deleted_at"]


@pytest.mark.parametrize(("who", "may"), [("alice", True), ("carol", True), ("mate", False)])
def test_admins_and_the_owner_delete_messages_of_members(
    who: str, may: bool, group: Conversation, alice: User, bob: User, carol: User, person: Callable[[str], User]
) -> None:
    mate = person("mate")
    seat(mate, group)
    change_place(carol, group, role=Participant.Role.ADMIN)
    said = say(bob, group)
    by = {"alice": alice, "carol": carol, "mate": mate}[who]
    if may:
        assert delete(by, said)["deleted_at"]
    else:
        with pytest.raises(NotAllowed):
            delete(by, said)


def test_in_a_direct_conversation_nobody_deletes_messages_of_the_other(
    conversation: Conversation, alice: User, bob: User
) -> None:
    with pytest.raises(NotAllowed):
        delete(alice, say(bob, conversation))


def test_a_notice_is_not_deleted(group: Conversation, alice: User) -> None:
    with pytest.raises(Unprocessable):
        delete(alice, notice_of(group))


# Who finds it at all


@pytest.mark.parametrize("change", [edit, delete])
def test_a_message_that_one_cannot_read_does_not_exist(
    change: Callable[[User, Any], Any], group: Conversation, alice: User, bob: User, mallory: User
) -> None:
    before, old, gone = say(bob, group), say(bob, group), say(bob, group)
    aged(old, timedelta(days=91))
    with pytest.raises(Message.DoesNotExist):
        change(mallory, before)
    seat(mallory, group)
    for by, message in ((mallory, before), (bob, old), (bob, {"id": str(uuid7())})):
        with pytest.raises(Message.DoesNotExist):
            change(by, message)
    remove(bob, group)
    with pytest.raises(Message.DoesNotExist):
        change(bob, gone)


@pytest.mark.usefixtures("committed")
def test_an_edit_that_waits_while_its_sender_is_removed_is_refused(group: Conversation, bob: User) -> None:
    said = say(bob, group, "Hi")
    with another_connection() as admin, ThreadPoolExecutor() as pool:
        remove(bob, group, on=admin)
        late = pool.submit(on_own_connection, lambda: edit(bob, said))
        until_blocked()
        admin.commit()
    assert isinstance(late.exception(), Message.DoesNotExist)
    assert Message.objects.get(pk=said["id"]).edited_at is None


@pytest.mark.usefixtures("committed")
def test_edits_and_messages_at_once_have_one_version_each(conversation: Conversation, alice: User, bob: User) -> None:
    said = [say(alice, conversation, "Hi") for _ in range(3)]
    calls: list[Callable[[], MessageJSON]] = [lambda one=one: edit(alice, one) for one in said]  # type: ignore[misc]
    calls += [lambda: say(bob, conversation) for _ in range(3)]
    with another_connection() as holding, ThreadPoolExecutor() as pool:
        hold(conversation, holding)
        running = [pool.submit(on_own_connection, call) for call in calls]
        until_blocked(6)
        holding.commit()
    assert sorted(each.result()["version"] for each in running) == [4, 5, 6, 7, 8, 9]
    assert version(conversation) == 9
