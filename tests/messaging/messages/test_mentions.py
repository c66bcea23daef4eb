"""Mentions: found by the append itself, and again by every edit."""

from asyncio import gather
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from chatproject.core.ids import uuid7
from conversations.creation import create_group
from conversations.models import Conversation, Participant
from messaging.messages.edit import delete_message, edit_message
from messaging.messages.json import MessageJSON
from messaging.messages.mentions import ALL_LIMIT, MAX_NAMES, names_in
from messaging.messages.send import send_direct
from messaging.models import Message
from messaging.receipts.commands import mark_read
from messaging.sync.history import history
from messaging.sync.inbox import list_conversations, show_conversation
from tests.messaging.helpers import change_place, remove, say, send_by_socket


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nobody", ()),
        ("@bob", ("bob",)),
        ("Hi @BoB!", ("bob",)),
        ("@bob. And @carol_-", ("bob|bob.", "carol|carol_|carol_-")),
        ("@bob...", ("bob|bob.|bob..|bob...",)),
        ("@ab.", ("ab.",)),
        ("(@bob)@carol", ("bob", "carol")),
        ("@bob你好", ("bob",)),
        ("@@bob, @bob, @BOB", ("bob",)),
        ("@ab @" + "x" * 31, ()),
        ("@\u212aarl @Stra\u00dfe @\u0130van @I\u0307van @\ufb01nn", ("karl", "strasse", "ivan", "finn")),
    ],
)
def test_names_stand_behind_an_at_sign(text: str, names: tuple[str, ...]) -> None:
    assert tuple("|".join(spellings) for spellings in names_in(text)) == names


def test_of_very_many_names_only_the_first_are_looked_up() -> None:
    assert len(names_in(" ".join(f"@guest{n}" for n in range(200)))) == MAX_NAMES


def named(message: MessageJSON, *users: User) -> bool:
    """Tell whether a message mentions exactly these people, in the order of ids."""
    return message["mentions"] == sorted(str(user.pk) for user in users)


def test_members_are_mentioned_and_nobody_else(
    group: Conversation, alice: User, bob: User, carol: User, mallory: User
) -> None:
    said = say(alice, group, "@carol, @bob. Not @mallory, @nobody or bob@carol.example")
    assert named(said, bob, carol)
    assert history(by=bob, conversation_id=group.pk).items[-1] == said
    assert Message.objects.filter(mentions=None, kind="text").count() == 0
    assert named(say(bob, group, "nobody at all"))


@pytest.mark.parametrize(
    ("members", "text", "meant"),
    [
        (["sam", "sam."], "thanks @sam.", ["sam"]),
        (["sam.", "sam-"], "thanks @sam.", ["sam."]),
        (["sam.", "sam.."], "@sam... and @sam!", ["sam."]),
        (["sam", "sam.uel"], "@Sam.Uel. Not the other", ["sam.uel"]),
        (["sam", "sam-"], "@sam- and @sam", ["sam"]),
        (["strasse"], "@Straße", ["strasse"]),
        (["sam"], "read https://posts.example/@sam/story-1, write to josé@sam.example, git clone host:~@sam", []),
        (["sam"], "https://posts.example/?by=@sam @sam", ["sam"]),
    ],
)
def test_one_name_mentions_one_person(
    members: list[str], text: str, meant: list[str], alice: User, person: Callable[..., User]
) -> None:
    people = {name: person(name) for name in members}
    group = create_group(by=alice, name="Sams", participants=[*people.values()])
    said = say(alice, group, text)
    assert named(said, *(people[name] for name in meant))
    edited = edit_message(by=alice, message_id=UUID(say(alice, group, "nobody")["id"]), text=text)
    assert edited["mentions"] == said["mentions"]


@pytest.mark.usefixtures("committed")
def test_a_mention_costs_no_statement_of_its_own(
    django_assert_num_queries: DjangoAssertNumQueries, group: Conversation, alice: User
) -> None:
    with django_assert_num_queries(1):
        say(alice, group, "@bob and @all")


def test_former_members_and_closed_accounts_are_not_mentioned(
    group: Conversation, alice: User, bob: User, carol: User
) -> None:
    remove(bob, group)
    User.objects.filter(pk=carol.pk).update(closed_at=timezone.now())
    assert named(say(alice, group, "@bob @carol @all"))


def test_all_mentions_everyone_but_the_sender(group: Conversation, alice: User, bob: User, carol: User) -> None:
    assert named(say(bob, group, "Hello @all!"), alice, carol)
    assert named(say(bob, group, "Hello @all, me too: @bob"), alice, bob, carol)


def test_all_works_in_a_direct_conversation_too(alice: User, bob: User) -> None:
    for text in ("@bob", "@all"):
        assert named(send_direct(by=alice, to=bob, text=text).message, bob)


@pytest.mark.parametrize(("others", "reached"), [(ALL_LIMIT - 1, True), (ALL_LIMIT, False)])
def test_in_a_large_group_only_admins_mention_all(others: int, reached: bool, alice: User, bob: User) -> None:
    crowd = [bob, *User.objects.bulk_create([User(username=f"guest{n}") for n in range(others - 1)])]
    group = create_group(by=alice, name="Crowd", participants=crowd)
    assert len(say(bob, group, "@all")["mentions"]) == (others if reached else 0)
    assert len(say(alice, group, "@all")["mentions"]) == others
    change_place(bob, group, role=Participant.Role.ADMIN)
    assert len(say(bob, group, "@all @guest1")["mentions"]) == others


@pytest.mark.usefixtures("live")
async def test_each_message_of_a_batch_has_its_own_mentions(
    group: Conversation, conversation: Conversation, alice: User, bob: User, carol: User
) -> None:
    said: list[tuple[User, Conversation, str, list[User]]] = [
        (alice, group, "@bob", [bob]),
        (bob, group, "plain", []),
        (alice, conversation, "@bob and @carol", [bob]),
        (carol, group, "@all", [alice, bob]),
    ]
    answers = await gather(
        *(send_by_socket(by_id=by.pk, conversation_id=room.pk, text=text) for by, room, text, _ in said)
    )
    assert all(named(answer.message, *meant) for answer, (*_, meant) in zip(answers, said, strict=True))
    stored = await sync_to_async(lambda: list(Message.objects.exclude(mentions=None)))()
    assert len(stored) == 3


def test_a_reply_has_mentions_and_a_repeat_shows_them(conversation: Conversation, alice: User, bob: User) -> None:
    question, id = say(alice, conversation, "Tea, @bob?"), uuid7()
    answer = say(bob, conversation, "@alice yes", id=id, reply_to_id=UUID(question["id"]))
    assert named(answer, alice)
    assert say(bob, conversation, "@alice yes", id=id, reply_to_id=UUID(question["id"])) == answer


def test_an_edit_changes_the_mentions(group: Conversation, alice: User, bob: User, carol: User) -> None:
    id = UUID(say(alice, group, "@bob")["id"])
    assert named(edit_message(by=alice, message_id=id, text="@Carol"), carol)
    assert named(edit_message(by=alice, message_id=id, text="@all"), bob, carol)
    assert named(edit_message(by=alice, message_id=id, text="@nobody"))
    assert Message.objects.get(pk=id).mentions is None


# Counting them


def counts(by: User, conversation: Conversation) -> tuple[int, int]:
    me = show_conversation(by=by, conversation_id=conversation.pk)["me"]
    return me["unread_count"], me["mention_count"]


def test_unread_mentions_of_others_are_counted(group: Conversation, alice: User, bob: User, carol: User) -> None:
    for by, text in ((alice, "@bob"), (alice, "@carol"), (carol, "@bob @bob"), (bob, "@bob"), (alice, "@all")):
        last = say(by, group, text)
    assert counts(bob, group) == (4, 3)
    mark_read(by=bob, conversation_id=group.pk, through=last["position"] - 1)
    assert counts(bob, group) == (1, 1)
    delete_message(by=alice, message_id=UUID(last["id"]))
    assert counts(bob, group) == (0, 0)
    assert list_conversations(by=carol).items[0]["me"]["mention_count"] == 1


def test_a_mention_older_than_the_retention_is_not_counted(conversation: Conversation, alice: User, bob: User) -> None:
    say(bob, conversation, "@alice")
    Message.objects.update(created_at=timezone.now() - timedelta(days=91))
    assert counts(alice, conversation) == (0, 0)


def test_at_most_a_hundred_mentions_are_counted(conversation: Conversation, alice: User, bob: User) -> None:
    say(bob, conversation, "@alice")
    one = Message.objects.get()
    Message.objects.bulk_create(
        Message(conversation=conversation, position=n, version=n, sender=bob, mentions=one.mentions)
        for n in range(2, 130)
    )
    Conversation.objects.update(version=129, last_position=129, last_spoken=129)
    assert counts(alice, conversation) == (100, 100)
