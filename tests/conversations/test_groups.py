"""Groups: what they are called, who is in, who may do what, and how it is told."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import orjson
import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from chatproject.core.errors import Blocked, Conflict, Invalid, NotAllowed, Unprocessable
from chatproject.core.realtime import ConversationEvent, conversation_group
from conversations import groups
from conversations.access import participant_of
from conversations.contacts.account_closure import close_account
from conversations.contacts.blocks import block
from conversations.contacts.profile import update_me
from conversations.creation import create_group
from conversations.events import role_of
from conversations.models import Conversation, Departure, Participant
from messaging.messages.send import send_message
from messaging.models import Message
from messaging.receipts.commands import mark_read
from messaging.sync.history import history
from messaging.sync.inbox import show_conversation
from messaging.sync.member_list import list_members


def roles(group: Conversation) -> dict[str, str]:
    """Who is in, and as what."""
    group = Conversation.objects.get(pk=group.pk)
    places = group.participants.filter(left_at=None).select_related("user")
    return {place.user.username: role_of(place, group) for place in places}


def notices(group: Conversation, user: User) -> list[tuple[str, str, list[str], str | None]]:
    """What happened as a member reads it: what, by whom, to whom, and a name."""
    names = {str(user.pk): user.username for user in User.objects.all()}
    said = [each for each in history(by=user, conversation_id=group.pk).items if each["notice"]]
    return [
        (it["notice"]["event"], names[it["sender_id"]], [names[id] for id in it["notice"]["user_ids"]],
         it["notice"]["name"])
        for it in said
    ]  # fmt: skip


def version(group: Conversation) -> tuple[int, int]:
    group = Conversation.objects.get(pk=group.pk)
    return group.version, group.epoch


def add(by: User, group: Conversation, *users: User) -> Conversation:
    return groups.add_members(by=by, conversation_id=group.pk, users=users)


def remove(by: User, group: Conversation, user: User) -> None:
    groups.remove_member(by=by, conversation_id=group.pk, user_id=user.pk)


def set_role(by: User, group: Conversation, user: User, role: str) -> Participant:
    return groups.set_role(by=by, conversation_id=group.pk, user_id=user.pk, role=role)


def texts(group: Conversation, user: User) -> list[str]:
    return [each["text"] for each in history(by=user, conversation_id=group.pk).items if each["text"]]


@pytest.fixture
def dave(person: Callable[..., User]) -> User:
    return person("dave", display_name="Dave")


@pytest.fixture
def ranks(group: Conversation, alice: User, bob: User, dave: User, mallory: User) -> dict[str, User]:
    """Somebody of each rank, in a group that alice owns, where carol is a member."""
    add(alice, group, dave)
    for user in (bob, dave):
        set_role(alice, group, user, "admin")
    return {"owner": alice, "admin": bob, "other admin": dave, "member": User.objects.get(username="carol"),
            "stranger": mallory}  # fmt: skip


# What it is called


def test_a_new_name_is_told_with_a_notice_and_a_description_without(group: Conversation, alice: User) -> None:
    before = version(group)
    changed = groups.update_group(by=alice, conversation_id=group.pk, name=" Orchard ", description=" apples ")
    assert (changed.name, changed.description) == ("Orchard", "apples")
    assert notices(group, alice)[1:] == [("renamed", "alice", [], "Orchard")]
    assert version(group) == (before[0] + 2, before[1])
    assert Conversation.objects.get().details_version == before[0] + 1


def test_what_is_the_same_is_no_change(group: Conversation, alice: User) -> None:
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
def test_what_can_not_be_is_refused(
    fields: dict[str, str], refusal: type[Invalid], group: Conversation, alice: User
) -> None:
    with pytest.raises(refusal) as refused:
        groups.update_group(by=alice, conversation_id=group.pk, **fields)
    assert refused.value.pointer == f"/{next(iter(fields))}"


# Who sees what was said


def test_a_newcomer_sees_what_is_said_from_the_notice_about_them_on(
    group: Conversation, alice: User, mallory: User
) -> None:
    send_message(by=alice, conversation_id=group.pk, text="Before")
    add(alice, group, mallory)
    send_message(by=alice, conversation_id=group.pk, text="After")
    assert texts(group, mallory) == ["After"]
    assert notices(group, mallory) == [("joined", "alice", ["mallory"], None)]


def test_a_history_is_shared_from_the_moment_at_which_it_is(
    group: Conversation, alice: User, mallory: User, dave: User
) -> None:
    for text, shared in (("One", "shared"), ("Two", "shared"), ("Three", "joined"), ("Four", "shared")):
        send_message(by=alice, conversation_id=group.pk, text=text)
        groups.update_group(by=alice, conversation_id=group.pk, history=shared)
        if text == "Two":
            add(alice, group, mallory)
    send_message(by=alice, conversation_id=group.pk, text="Five")
    add(alice, group, dave)
    assert texts(group, mallory) == ["Two", "Three", "Four", "Five"]
    assert texts(group, dave) == ["Five"]


def test_a_group_that_is_shared_from_its_beginning_shows_everything(alice: User, bob: User) -> None:
    group = create_group(by=alice, name="Open", history="shared")
    send_message(by=alice, conversation_id=group.pk, text="First")
    add(alice, group, bob)
    assert texts(group, bob) == ["First"]


# Who comes


def test_who_is_added_is_a_member_and_who_was_in_stays_what_they_are(
    group: Conversation, alice: User, bob: User, mallory: User
) -> None:
    set_role(alice, group, bob, "admin")
    before = version(group)
    add(alice, group, bob, mallory, mallory, alice)
    assert roles(group) == {"alice": "owner", "bob": "admin", "carol": "member", "mallory": "member"}
    assert version(group) == (before[0] + 2, before[1] + 1)
    place = participant_of(mallory, group.pk)
    assert (place.joined_version, place.changed_version) == (before[0] + 1,) * 2


def test_adding_who_is_in_changes_nothing(group: Conversation, alice: User, bob: User) -> None:
    before, told = version(group), User.objects.get(pk=bob.pk).version
    add(alice, group, bob)
    add(alice, group)
    assert (version(group), User.objects.get(pk=bob.pk).version) == (before, told)


@pytest.mark.parametrize(
    "refuse",
    [
        lambda bob, alice: block(by=bob, other=alice),
        lambda bob, alice: block(by=alice, other=bob),
        lambda bob, _: update_me(by=bob, settings={"add": "contacts"}),
    ],
    ids=["has blocked me", "is blocked by me", "lets contacts add"],
)
def test_who_may_not_be_added_is_not(refuse: Callable[..., None], alice: User, bob: User) -> None:
    notes = create_group(by=alice, name="Notes")
    refuse(bob, alice)
    with pytest.raises(Blocked) as refused:
        add(alice, notes, bob)
    assert refused.value.pointer == "/users"
    assert roles(notes) == {"alice": "owner"}


def test_a_closed_account_is_nobody_to_add(group: Conversation, alice: User, mallory: User) -> None:
    close_account(by=mallory)
    with pytest.raises(User.DoesNotExist):
        add(alice, group, mallory)


def test_a_full_group_takes_nobody(settings: Settings, group: Conversation, alice: User, mallory: User) -> None:
    settings.GROUP_MEMBERS = 3
    with pytest.raises(Unprocessable) as refused:
        add(alice, group, mallory)
    assert refused.value.pointer == "/users"
    remove(alice, group, User.objects.get(username="carol"))
    add(alice, group, mallory)
    assert "mallory" in roles(group)


def test_who_comes_back_begins_anew(group: Conversation, alice: User, bob: User) -> None:
    set_role(alice, group, bob, "admin")
    Participant.objects.filter(user=bob).update(pinned=True, archived=True, notify="none", draft=b"x", me_version=7)
    remove(alice, group, bob)
    send_message(by=alice, conversation_id=group.pk, text="Without bob")
    before = version(group)
    add(alice, group, bob)
    place = participant_of(bob, group.pk)
    assert roles(group)["bob"] == "member"
    assert (place.visible_from, place.delivered_through, place.read_through) == (before[0],) * 3
    assert (place.pinned, place.archived, place.notify, place.draft) == (False, False, "all", None)
    assert texts(group, bob) == []
    assert not Departure.objects.exists()


def test_what_a_newcomer_may_look_up_is_not_unread(group: Conversation, alice: User, mallory: User) -> None:
    groups.update_group(by=alice, conversation_id=group.pk, history="shared")
    send_message(by=alice, conversation_id=group.pk, text="Before")
    add(alice, group, mallory)
    send_message(by=alice, conversation_id=group.pk, text="After")
    assert texts(group, mallory) == ["Before", "After"]
    assert show_conversation(by=mallory, conversation_id=group.pk)["me"]["unread_count"] == 1


# Who goes


def test_who_is_removed_is_a_stranger_and_both_sides_are_told(group: Conversation, alice: User, bob: User) -> None:
    before, told = version(group), User.objects.get(pk=bob.pk).version
    remove(alice, group, bob)
    with pytest.raises(Conversation.DoesNotExist):
        send_message(by=bob, conversation_id=group.pk, text="Still here")
    assert version(group) == (before[0] + 2, before[1] + 1)
    assert notices(group, alice)[1:] == [("removed", "alice", ["bob"], None)]
    left = Participant.objects.get(user=bob)
    assert (left.left_version, left.changed_version) == (before[0] + 1,) * 2
    departure = Departure.objects.get()
    assert (departure.user, departure.conversation_id, departure.reason) == (bob, group.pk, "removed")
    assert User.objects.get(pk=bob.pk).version == told + 1


def test_who_leaves_says_so_and_reads_no_more(group: Conversation, alice: User, bob: User) -> None:
    groups.leave(by=bob, conversation_id=group.pk)
    assert roles(group) == {"alice": "owner", "carol": "member"}
    assert notices(group, alice)[1:] == [("left", "bob", ["bob"], None)]
    assert Departure.objects.get().reason == "left"
    with pytest.raises(Conversation.DoesNotExist):
        history(by=bob, conversation_id=group.pk)


def test_marks_that_someone_moved_are_as_they_were_when_they_rise(group: Conversation, alice: User, bob: User) -> None:
    send_message(by=alice, conversation_id=group.pk, text="Hi")
    mark_read(by=bob, conversation_id=group.pk, through=2)
    set_role(alice, group, bob, "admin")
    assert participant_of(bob, group.pk).read_through == 2


def test_the_owner_stays_while_others_are_in_and_the_last_one_takes_the_group_along(
    group: Conversation, alice: User, bob: User, carol: User
) -> None:
    with pytest.raises(Conflict):
        groups.leave(by=alice, conversation_id=group.pk)
    for user in (bob, carol):
        groups.leave(by=user, conversation_id=group.pk)
    groups.leave(by=alice, conversation_id=group.pk)
    connection.check_constraints()
    assert not Conversation.objects.exists()
    assert dict(Departure.objects.values_list("user__username", "reason")) == {
        "alice": "deleted", "bob": "left", "carol": "left",
    }  # fmt: skip


# Who may do what to whom


@pytest.mark.parametrize(
    ("by", "of", "may"),
    [
        ("owner", "admin", True),
        ("owner", "member", True),
        ("owner", "owner", False),
        ("admin", "member", True),
        ("admin", "other admin", False),
        ("admin", "owner", False),
        ("admin", "admin", False),
        ("member", "member", False),
        ("member", "admin", False),
    ],
)
def test_nobody_is_removed_by_someone_of_their_own_rank_or_below(
    ranks: dict[str, User], group: Conversation, by: str, of: str, may: bool
) -> None:
    if may:
        return remove(ranks[by], group, ranks[of])
    with pytest.raises(NotAllowed) as refused:
        remove(ranks[by], group, ranks[of])
    assert ("leave" in refused.value.detail) is (by == of)
    assert ranks[of].username in roles(group)
    return None


@pytest.mark.parametrize("by", ["admin", "member", "stranger"])
def test_only_the_owner_makes_and_unmakes_admins(ranks: dict[str, User], group: Conversation, by: str) -> None:
    refusal = Conversation.DoesNotExist if by == "stranger" else NotAllowed
    for of, role in (("member", "admin"), ("other admin", "member")):
        with pytest.raises(refusal):
            set_role(ranks[by], group, ranks[of], role)
        set_role(ranks["owner"], group, ranks[of], role)
        assert roles(group)[ranks[of].username] == role


def test_a_role_that_someone_has_already_is_no_change(ranks: dict[str, User], group: Conversation) -> None:
    before = version(group)
    assert set_role(ranks["owner"], group, ranks["admin"], "admin").role == "admin"
    assert version(group) == before


def test_the_owner_is_no_member_and_a_role_is_one_of_two(group: Conversation, alice: User, bob: User) -> None:
    with pytest.raises(NotAllowed):
        set_role(alice, group, alice, "member")
    with pytest.raises(Invalid):
        set_role(alice, group, bob, "owner")


def test_an_owner_who_hands_over_stays_an_admin(group: Conversation, alice: User, bob: User) -> None:
    before = version(group)
    groups.transfer(by=alice, conversation_id=group.pk, to=bob)
    connection.check_constraints()
    assert roles(group) == {"alice": "admin", "bob": "owner", "carol": "member"}
    assert version(group) == (before[0] + 2, before[1] + 1)
    assert notices(group, alice)[1:] == [("transferred", "alice", ["bob"], None)]
    set_role(bob, group, alice, "member")
    assert roles(group)["alice"] == "member"


@pytest.mark.parametrize(
    ("by", "to", "refusal"),
    [
        ("owner", "owner", Unprocessable),
        ("owner", "stranger", Participant.DoesNotExist),
        ("admin", "member", NotAllowed),
        ("stranger", "stranger", Conversation.DoesNotExist),
    ],
)
def test_only_the_owner_hands_over_and_only_to_another_member(
    ranks: dict[str, User], group: Conversation, by: str, to: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        groups.transfer(by=ranks[by], conversation_id=group.pk, to=ranks[to])


@pytest.mark.parametrize(
    ("by", "refusal"), [("admin", NotAllowed), ("member", NotAllowed), ("stranger", Conversation.DoesNotExist)]
)
def test_only_the_owner_deletes_a_group(
    ranks: dict[str, User], group: Conversation, by: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        groups.delete_group(by=ranks[by], conversation_id=group.pk)


def test_a_deleted_group_is_nowhere_for_anyone_at_once(group: Conversation, alice: User, bob: User) -> None:
    said = send_message(by=alice, conversation_id=group.pk, text="Hi").message
    told = dict(User.objects.values_list("username", "version"))
    groups.delete_group(by=alice, conversation_id=group.pk)
    connection.check_constraints()
    assert not Conversation.objects.exists()
    assert not Participant.objects.exists()
    assert set(Departure.objects.values_list("user__username", "reason")) == {
        (name, "deleted") for name in ("alice", "bob", "carol")
    }
    assert dict(User.objects.values_list("username", "version")) == {name: n + 1 for name, n in told.items()}
    assert Message.objects.filter(pk=said["id"]).exists()
    with pytest.raises(Conversation.DoesNotExist):
        history(by=bob, conversation_id=group.pk)


def acts(user: User) -> dict[str, Callable[[User, Any], object]]:
    """Everything that is done with groups, to someone."""
    return {
        "update": lambda by, id: groups.update_group(by=by, conversation_id=id, name="New"),
        "add": lambda by, id: groups.add_members(by=by, conversation_id=id, users=[user]),
        "remove": lambda by, id: groups.remove_member(by=by, conversation_id=id, user_id=user.pk),
        "set role": lambda by, id: groups.set_role(by=by, conversation_id=id, user_id=user.pk, role="admin"),
        "leave": lambda by, id: groups.leave(by=by, conversation_id=id),
        "transfer": lambda by, id: groups.transfer(by=by, conversation_id=id, to=user),
        "delete": lambda by, id: groups.delete_group(by=by, conversation_id=id),
    }


def test_a_stranger_finds_no_group_and_nobody_makes_a_group_of_two_people(
    group: Conversation, conversation: Conversation, alice: User, bob: User, mallory: User
) -> None:
    before = version(group), version(conversation)
    for act in acts(bob).values():
        with pytest.raises(Conversation.DoesNotExist):
            act(mallory, group.pk)
        with pytest.raises(Conflict):
            act(alice, conversation.pk)
    assert (version(group), version(conversation)) == before


def test_a_plain_member_may_leave_and_nothing_else(group: Conversation, bob: User, carol: User) -> None:
    for name, act in acts(carol).items():
        if name != "leave":
            with pytest.raises(NotAllowed):
                act(bob, group.pk)


def test_who_is_not_in_can_not_be_acted_on(group: Conversation, alice: User, mallory: User) -> None:
    for name in ("remove", "set role", "transfer"):
        with pytest.raises(Participant.DoesNotExist):
            acts(mallory)[name](alice, group.pk)


# Lists


def test_members_are_listed_in_pages(group: Conversation, bob: User, carol: User, alice: User) -> None:
    remove(alice, group, carol)
    first = list_members(by=bob, conversation_id=group.pk, limit=1)
    second = list_members(by=bob, conversation_id=group.pk, limit=1, cursor=str(first.next))
    named = [each["user"]["username"] for page in (first, second) for each in page.items]
    assert (named, first.has_more, second.has_more) == (["alice", "bob"], True, False)
    with pytest.raises(Conversation.DoesNotExist):
        list_members(by=carol, conversation_id=group.pk)


# How it is told


def live_through(group: Conversation, alice: User, bob: User, carol: User, mallory: User) -> None:
    id = group.pk
    groups.update_group(by=alice, conversation_id=id, name="Orchard", history="shared")
    groups.update_group(by=alice, conversation_id=id, description="Apples")
    groups.add_members(by=alice, conversation_id=id, users=[mallory])
    groups.set_role(by=alice, conversation_id=id, user_id=mallory.pk, role="admin")
    groups.transfer(by=alice, conversation_id=id, to=bob)
    groups.remove_member(by=bob, conversation_id=id, user_id=mallory.pk)
    groups.leave(by=carol, conversation_id=id)
    close_account(by=bob)


async def published(id: Any, live: Callable[[], object]) -> list[ConversationEvent]:
    """All that is published to a conversation while something happens."""
    layer = get_channel_layer()
    inbox = await layer.new_channel()
    await layer.group_add(conversation_group(id), inbox)
    await sync_to_async(live)()
    events = []
    while len(events) < 16:
        async with asyncio.timeout(5):
            events.append(msgspec.convert(await layer.receive(inbox), ConversationEvent))
    return events


async def test_every_version_is_published_by_exactly_one_event_in_order(
    committed: None, group: Conversation, alice: User, bob: User, carol: User, mallory: User
) -> None:
    events = await published(group.pk, lambda: live_through(group, alice, bob, carol, mallory))
    assert [event.version for event in events] == list(range(2, 18))
    assert (await Conversation.objects.aget()).version == 17
    frames = [orjson.loads(event.frame) for event in events]
    assert [frame["data"]["version"] for frame in frames] == list(range(2, 18))
    assert [summary(frame) for frame in frames] == [
        {"name": "Orchard", "history": "shared"}, "renamed", {"description": "Apples"},
        {"added": ["mallory: member"], "size": 4}, "joined", {"updated": ["mallory: admin"]},
        {"owner_id": str(bob.pk), "updated": ["alice: admin", "bob: owner"]}, "transferred",
        {"removed": [str(mallory.pk)], "size": 3}, "removed", {"removed": [str(carol.pk)], "size": 2}, "left",
        {"owner_id": str(alice.pk), "updated": [": admin", "alice: owner"]}, "transferred",
        {"removed": [str(bob.pk)], "size": 1}, "left",
    ]  # fmt: skip


def summary(frame: dict[str, Any]) -> Any:
    """What an event says: a notice, or what changed, people by name and role."""
    if frame["type"] == "message.created":
        return frame["data"]["message"]["notice"]["event"]
    assert frame["type"] == "conversation.updated"
    changes = frame["data"]["changes"]
    people, size = changes.pop("participants", {}), changes.pop("participant_count", None)
    if people.keys() & {"added", "removed"}:
        changes["size"] = size
    return changes | {
        what: [each if what == "removed" else f"{each['user']['username']}: {each['role']}" for each in some]
        for what, some in people.items()
    }
