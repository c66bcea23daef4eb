"""What the hub tells of conversations that change, live, and again where nobody was told."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from conversations import groups, personal_settings
from conversations.models import Conversation
from messaging.messages import edit, reactions, send
from messaging.messages.json import MessageJSON
from messaging.realtime import reconciler
from tests.messaging.network import Wire
from tests.messaging.screen import Screen

pytestmark = pytest.mark.usefixtures("live")

BEFORE_RECONCILIATION = reconciler.INTERVAL - 1
"""Seconds within which a busy machine has done what is done at once, and no reconciliation has helped."""


def say(by: User, conversation: Conversation, text: str) -> MessageJSON:
    return send.send_message(by=by, conversation_id=conversation.pk, text=text).message


def told(frame: dict[str, Any]) -> tuple[int, str, Any]:
    """The version of an event, and what it tells: the text or notice of a message, or what has changed."""
    data = frame["data"]
    if message := data.get("message"):
        said = message["notice"]["event"] if message["notice"] else message["text"]
        return data["version"], frame["type"].removeprefix("message."), said
    changes = dict(data["changes"])
    size = changes.pop("participant_count", None)
    if changes.get("participants", {}).keys() & {"added", "removed"}:
        changes["size"] = size
    for how, people in changes.pop("participants", {}).items():
        changes[how] = [each if isinstance(each, str) else (each["user"]["username"], each["role"]) for each in people]
    return data["version"], "changed", changes


async def test_all_unpublished_changes_are_delivered_in_order_and_as_they_are_now(
    wire: Wire, group: Conversation, alice: User, bob: User, carol: User, mallory: User
) -> None:
    screen = await Screen.of(bob)
    wire.cut()

    def live() -> None:
        here = {"by": alice, "conversation_id": group.pk}
        first = UUID(say(alice, group, "one")["id"])
        groups.update_group(**here, description="All that grows")
        groups.update_group(**here, name="Orchard")
        edit.edit_message(by=alice, message_id=first, text="uno")
        groups.set_role(**here, user_id=carol.pk, role="admin")
        groups.add_members(**here, users=[mallory])
        reactions.add_reaction(by=carol, message_id=first, emoji="👍")
        groups.remove_member(**here, user_id=carol.pk)
        groups.transfer(**here, to=bob)

    await sync_to_async(live)()
    wire.mend()
    frames = [await screen.next(within=BEFORE_RECONCILIATION) for _ in range(13)]
    now = {"name": "Orchard", "description": "All that grows", "avatar_url": None, "history": "joined"}
    assert [told(frame) for frame in frames] == [
        (2, "created", "uno"),
        # Described, then renamed, then handed over: all of it is told where it last changed.
        (3, "changed", {}),
        (4, "changed", {}),
        (5, "created", "renamed"),
        (6, "changed", {}),
        (7, "changed", {}),
        (8, "changed", {"added": [("mallory", "member")], "size": 3}),
        (9, "created", "joined"),
        (10, "updated", "uno"),
        (11, "changed", {"removed": [str(carol.pk)], "size": 3}),
        (12, "created", "removed"),
        (13, "changed", now | {"owner_id": str(bob.pk), "updated": [("alice", "admin"), ("bob", "owner")]}),
        (14, "created", "transferred"),
    ]
    assert frames[8]["data"]["message"]["reactions"] == [{"emoji": "👍", "user_ids": [str(carol.pk)], "count": 1}]


@pytest.mark.parametrize("is_cut", [False, True], ids=["told", "unheard"])
@pytest.mark.parametrize("reason", ["left", "removed", "deleted"])
async def test_a_removed_member_receives_the_reason_on_every_device_and_then_nothing_more(
    reason: str, is_cut: bool, wire: Wire, group: Conversation, alice: User, bob: User, carol: User
) -> None:
    phone, laptop, others = [await Screen.of(user) for user in (bob, bob, carol)]
    out: dict[str, Callable[[], Any]] = {
        "left": lambda: groups.leave(by=bob, conversation_id=group.pk),
        "removed": lambda: groups.remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk),
        "deleted": lambda: groups.delete_group(by=alice, conversation_id=group.pk),
    }
    if is_cut:
        wire.cut()
    await sync_to_async(out[reason])()
    if reason != "deleted":
        await sync_to_async(say)(alice, group, "without you")
    if is_cut:
        wire.mend()
    news = {"type": "conversation.removed", "data": {"conversation_id": str(group.pk), "reason": reason}}
    assert [await phone.next(), await laptop.next()] == [news, news]
    if reason == "deleted":
        assert await others.next() == news
    else:
        await others.hears_at_last("without you", within=BEFORE_RECONCILIATION)
    await asyncio.gather(phone.hears_nothing(), laptop.hears_nothing())


@pytest.mark.parametrize("found_by", ["being told", "the audit", "what is said next", "what else is new of the person"])
async def test_a_member_who_rejoins_receives_the_conversation_again_and_then_its_messages(
    found_by: str, wire: Wire, group: Conversation, conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)

    def away_and_back() -> None:
        groups.remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk)
        say(alice, group, "without you")
        groups.add_members(by=alice, conversation_id=group.pk, users=[bob])

    if found_by != "being told":
        wire.cut()
    await sync_to_async(away_and_back)()
    wire.mend(heals=found_by == "the audit")
    if found_by == "what is said next":
        await sync_to_async(say)(alice, group, "hello again")
    elif found_by == "what else is new of the person":
        await sync_to_async(personal_settings.update_settings)(by=bob, conversation_id=conversation.pk, pinned=True)
    frame = await screen.next(within=BEFORE_RECONCILIATION)
    if found_by == "being told" and frame["type"] == "conversation.removed":
        frame = await screen.next(within=BEFORE_RECONCILIATION)
    assert (frame["type"], frame["data"]["me"]["visible_from"]) == ("conversation.created", 4)
    await sync_to_async(say)(alice, group, "welcome back")
    heard = ""
    while "welcome back" not in heard:
        heard += str(await screen.next(within=BEFORE_RECONCILIATION))
    assert "without you" not in heard
    assert "conversation.created" not in heard


@pytest.mark.parametrize("heals", [True, False], ids=["mended", "what is said next"])
async def test_a_new_member_receives_only_what_follows_the_conversation_as_it_was_shown(
    heals: bool, wire: Wire, group: Conversation, alice: User, mallory: User
) -> None:
    hers, newcomers = await Screen.of(alice), await Screen.of(mallory)
    # This server hears of the person before it hears of the conversation, where others listen already.
    wire.cut(off=("conversation.",))
    await sync_to_async(groups.add_members)(by=alice, conversation_id=group.pk, users=[mallory])
    introduction = await newcomers.next(within=BEFORE_RECONCILIATION)
    assert (introduction["type"], introduction["data"]["version"]) == ("conversation.created", 3)
    wire.mend(heals=heals)
    await sync_to_async(say)(alice, group, "welcome")
    await hers.hears_at_last("welcome", within=BEFORE_RECONCILIATION)
    await newcomers.hears("welcome", within=BEFORE_RECONCILIATION)


@pytest.mark.parametrize("is_cut", [False, True], ids=["told", "unheard"])
async def test_personal_settings_reach_the_other_devices_of_the_person_and_nobody_else(
    is_cut: bool, wire: Wire, conversation: Conversation, group: Conversation, alice: User, bob: User
) -> None:
    phone, laptop, hers = [await Screen.of(user) for user in (bob, bob, alice)]
    if is_cut:
        wire.cut()
    await sync_to_async(personal_settings.update_settings)(
        by=bob, conversation_id=group.pk, pinned=True, draft="Dear all"
    )
    if is_cut:
        wire.mend()
    for screen in (phone, laptop):
        frame = await screen.next(within=BEFORE_RECONCILIATION)
        assert (frame["type"], frame["data"]["conversation_id"]) == ("conversation.settings", str(group.pk))
        assert frame["data"]["me"].items() >= {"pinned": True, "draft": "Dear all", "notify": "all"}.items()
        assert frame["data"]["me"]["role"] == "member"
    await asyncio.gather(*(screen.hears_nothing(during=0.1) for screen in (phone, laptop, hers)))
    await sync_to_async(personal_settings.update_settings)(by=bob, conversation_id=conversation.pk, notify="none")
    frame = await phone.next()
    assert (frame["data"]["conversation_id"], frame["data"]["me"]["notify"]) == (str(conversation.pk), "none")


@pytest.mark.parametrize("is_cut", [False, True], ids=["told", "unheard"])
async def test_a_change_of_an_unseen_message_is_delivered_as_an_empty_change(
    is_cut: bool, wire: Wire, group: Conversation, alice: User, mallory: User
) -> None:
    old = await sync_to_async(say)(alice, group, "before")
    await sync_to_async(groups.add_members)(by=alice, conversation_id=group.pk, users=[mallory])
    hers, theirs = await Screen.of(alice), await Screen.of(mallory)
    if is_cut:
        wire.cut()
    edited = await sync_to_async(edit.edit_message)(by=alice, message_id=UUID(old["id"]), text="secret")
    if is_cut:
        wire.mend()
    frame = await hers.next(within=BEFORE_RECONCILIATION)
    assert (frame["type"], frame["data"]["message"]["text"]) == ("message.updated", "secret")
    at = {"conversation_id": str(group.pk), "version": edited["version"]}
    assert (await theirs.next(within=BEFORE_RECONCILIATION))["data"] == {**at, "epoch": 1, "changes": {}}
    await sync_to_async(say)(alice, group, "after")
    await theirs.hears("after")


async def test_a_new_member_with_shared_history_receives_later_changes_of_it_only(
    wire: Wire, group: Conversation, alice: User, mallory: User
) -> None:
    def share() -> MessageJSON:
        say(alice, group, "secret")
        groups.update_group(by=alice, conversation_id=group.pk, history="shared")
        return say(alice, group, "seen by all who come")

    old = await sync_to_async(share)()
    hers, theirs = await Screen.of(alice), await Screen.of(mallory)
    wire.cut(off=("conversation.",))
    await sync_to_async(say)(alice, group, "unheard")
    await sync_to_async(groups.add_members)(by=alice, conversation_id=group.pk, users=[mallory])
    frame = await theirs.next(within=BEFORE_RECONCILIATION)
    assert (frame["type"], frame["data"]["version"]) == ("conversation.created", 7)
    wire.mend(heals=False)
    await sync_to_async(edit.edit_message)(by=alice, message_id=UUID(old["id"]), text="seen by all")
    await hers.hears("unheard")
    frame = await theirs.next(within=BEFORE_RECONCILIATION)
    assert (frame["type"], frame["data"]["message"]["text"]) == ("message.updated", "seen by all")


async def test_a_slow_device_that_is_closed_during_delivery_does_not_affect_the_others(
    conversation: Conversation, alice: User, bob: User
) -> None:
    class Slow(Screen):
        def deliver(self, frame: bytes) -> None:
            self.leave()

    _, first, second = await Slow.of(bob), await Screen.of(bob), await Screen.of(alice)
    for text in ("one", "two"):
        await sync_to_async(say)(alice, conversation, text)
    await asyncio.gather(first.hears("one", "two"), second.hears("one", "two"))
