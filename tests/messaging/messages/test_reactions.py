"""Reactions."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.models import User
from chatproject.core.errors import Blocked, Invalid, Unprocessable
from chatproject.core.ids import uuid7
from conversations.models import Conversation
from messaging.messages.json import REACTORS_SHOWN, MessageJSON
from messaging.messages.reactions import MAX_EMOJI, add_reaction, remove_reaction
from messaging.models import Message, Reaction
from messaging.sync.history import get_message, history
from tests.messaging.helpers import change_place, say, seat, send_by_socket
from tests.support.together import together

THUMB, HEART = "👍", "❤️"
SOME = "😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓😔"


def react(by: User, message: MessageJSON, emoji: str = THUMB) -> MessageJSON:
    return add_reaction(by=by, message_id=UUID(message["id"]), emoji=emoji)


def take_back(by: User, message: MessageJSON, emoji: str = THUMB) -> MessageJSON:
    return remove_reaction(by=by, message_id=UUID(message["id"]), emoji=emoji)


def version(conversation: Conversation) -> int:
    return Conversation.objects.get(pk=conversation.pk).version


def shown(*kinds: tuple[str, list[User]]) -> list[dict[str, Any]]:
    return [{"emoji": emoji, "user_ids": [str(by.pk) for by in who], "count": len(who)} for emoji, who in kinds]


def test_reactions_are_grouped_by_emoji_in_the_order_of_their_first(
    group: Conversation, alice: User, bob: User, carol: User
) -> None:
    said = say(alice, group)
    react(carol, said)
    react(bob, said, HEART)
    latest = react(alice, said)
    assert latest["reactions"] == shown((THUMB, [carol, alice]), (HEART, [bob]))
    assert latest == get_message(by=bob, message_id=UUID(said["id"]))
    assert latest == history(by=carol, conversation_id=group.pk).items[-1]
    assert (latest["position"], latest["version"], latest["edited_at"]) == (2, 5, None)


def test_a_reaction_is_removed_by_its_own_author(conversation: Conversation, alice: User, bob: User) -> None:
    said = say(alice, conversation)
    react(bob, said)
    assert react(alice, said)["reactions"] == shown((THUMB, [bob, alice]))
    assert take_back(bob, said)["reactions"] == shown((THUMB, [alice]))
    assert take_back(alice, said)["reactions"] == []


def test_adding_again_and_removing_what_is_not_there_change_nothing(
    conversation: Conversation, alice: User, bob: User
) -> None:
    said = say(alice, conversation)
    assert take_back(bob, said) == said
    first = react(bob, said)
    assert react(bob, said) == first
    assert take_back(bob, said, HEART) == first
    assert version(conversation) == 2


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("❤", "❤️"),
        ("❤️", "❤️"),
        ("❤\ufe0e", "❤️"),
        ("☺\ufe0e", "☺️"),
        ("👍\ufe0f", "👍"),
        ("1\u20e3", "1️⃣"),
        ("👁‍🗨", "👁️‍🗨️"),
        ("👍🏽", "👍🏽"),
        ("#⃣", "#️⃣"),
        ("🇩🇪", "🇩🇪"),
        ("👩‍❤‍👨", "👩‍❤️‍👨"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
    ],
)
def test_an_emoji_is_kept_in_its_fully_qualified_form(
    sent: str, kept: str, conversation: Conversation, alice: User
) -> None:
    said = say(alice, conversation)
    assert react(alice, said, sent)["reactions"] == shown((kept, [alice]))
    assert take_back(alice, said, kept)["reactions"] == []


@pytest.mark.parametrize("text", ["", "x", "1", "👍👍", " 👍", "👍\0", "🏽", "\ufe0f", "🇩", "x" * 5000], ids=ascii)
def test_only_a_single_emoji_is_a_reaction(text: str, conversation: Conversation, alice: User) -> None:
    said = say(alice, conversation)
    for act in (react, take_back):
        with pytest.raises(Invalid) as refused:
            act(alice, said, text)
        assert refused.value.pointer == "/emoji"


def test_a_message_has_at_most_twenty_different_emoji(conversation: Conversation, alice: User, bob: User) -> None:
    said = say(alice, conversation)
    for emoji in SOME[:MAX_EMOJI]:
        react(alice, said, emoji)
    with pytest.raises(Unprocessable) as refused:
        react(bob, said, SOME[MAX_EMOJI])
    assert refused.value.pointer == "/emoji"
    assert len(react(bob, said, SOME[0])["reactions"]) == MAX_EMOJI
    take_back(alice, said, SOME[1])
    assert react(bob, said, SOME[MAX_EMOJI])["reactions"][-1]["emoji"] == SOME[MAX_EMOJI]


def test_of_many_people_the_first_hundred_are_named_and_all_are_counted(
    conversation: Conversation, alice: User
) -> None:
    said = say(alice, conversation)
    crowd = User.objects.bulk_create([User(username=f"guest{n}") for n in range(REACTORS_SHOWN + 1)])
    Reaction.objects.bulk_create(
        Reaction(message_id=UUID(said["id"]), conversation=conversation, user=each, emoji=THUMB) for each in crowd
    )
    (one,) = react(alice, said)["reactions"]
    assert (one["count"], len(one["user_ids"])) == (REACTORS_SHOWN + 2, REACTORS_SHOWN)


@pytest.mark.parametrize("fields", [{"kind": "notice", "body": None}, {"deleted_at": timezone.now()}], ids=str)
def test_notices_and_deleted_messages_accept_no_reactions(
    fields: dict[str, Any], conversation: Conversation, alice: User
) -> None:
    said = say(alice, conversation)
    Message.objects.update(**fields)
    for act in (react, take_back):
        with pytest.raises(Unprocessable):
            act(alice, said)


def test_a_barred_person_reacts_to_nothing(conversation: Conversation, alice: User, bob: User) -> None:
    said = say(alice, conversation)
    change_place(bob, conversation, barred=True)
    for act in (react, take_back):
        with pytest.raises(Blocked):
            act(bob, said)


def test_nobody_reacts_to_messages_that_they_cannot_read(group: Conversation, alice: User, mallory: User) -> None:
    said: Any = say(alice, group)
    with pytest.raises(Message.DoesNotExist):
        react(mallory, said)
    seat(mallory, group)
    for message in (said, {"id": str(uuid7())}):
        with pytest.raises(Message.DoesNotExist):
            react(mallory, message)


@pytest.mark.usefixtures("committed")
def test_reactions_of_many_at_once_count_once_each(conversation: Conversation, alice: User, bob: User) -> None:
    said = say(alice, conversation)
    calls: list[Callable[[], MessageJSON]] = [lambda by=by: react(by, said) for by in (alice, bob, alice, bob)]  # type: ignore[misc]
    together(*calls)
    (one,) = get_message(by=alice, message_id=UUID(said["id"]))["reactions"]
    assert (one["count"], version(conversation)) == (2, 3)


@pytest.mark.usefixtures("live")
async def test_a_repeat_on_a_socket_is_answered_with_the_reactions(
    conversation: Conversation, alice: User, bob: User
) -> None:
    send: dict[str, Any] = {"by_id": alice.pk, "conversation_id": conversation.pk, "text": "Hi", "id": uuid7()}
    first = await send_by_socket(**send)
    liked = await sync_to_async(react)(bob, first.message)
    again = await send_by_socket(**send)
    assert (again.repeated, again.message) == (True, liked)
    assert again.message["reactions"] == shown((THUMB, [bob]))
