"""Catching up: missed messages are loaded page by page, for one device of a person at a time."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from conversations.creation import create_group
from conversations.models import Conversation
from messaging.models import Message
from messaging.socket import catch_up as module
from messaging.socket.catch_up import MISSED_MOST, PAGE_BYTES, PAGE_LENGTH, CatchUp, catch_up_lock
from tests.messaging.helpers import append_unheard, change_place, draft, fill, remove, texts

WIDE = "\N{GRINNING FACE}" * 8_000


def pages(by: User) -> list[list[Any]]:
    catch_up = CatchUp(by=by)
    return [list(page) for page in iter(lambda: catch_up.next_page(by=by), ())]


def end(catch_up: CatchUp) -> list[Any]:
    return [json.loads(frame) for frame in catch_up.final_frames()]


def test_a_page_ends_with_the_message_that_reaches_its_bytes(
    alice: User, bob: User, conversation: Conversation
) -> None:
    append_unheard(*(draft(alice, conversation, WIDE) for _ in range(10)))
    found = pages(bob)
    assert sum(map(len, found)) == 10
    assert len(found) > 1
    assert all(sum(len(text.encode()) for text in texts(page[:-1])) < PAGE_BYTES for page in found)


def test_pages_contain_all_conversations_in_order(alice: User, bob: User, conversation: Conversation) -> None:
    groups = [create_group(by=alice, name=f"Group {n}", participants=[bob]) for n in range(PAGE_LENGTH + 5)]
    fill(conversation, alice, 3 * PAGE_LENGTH + 1)
    found = pages(bob)
    assert all(len(page) <= PAGE_LENGTH for page in found)
    said = [message for page in found for message in page]
    own = [message["position"] for message in said if message["conversation_id"] == str(conversation.pk)]
    assert own == [*range(1, 3 * PAGE_LENGTH + 2)]
    assert len({message["conversation_id"] for message in said}) == len(groups) + 1
    assert len({message["id"] for message in said}) == len(said)


def test_messages_sent_after_the_catch_up_began_are_left_to_live_events(
    alice: User, bob: User, conversation: Conversation
) -> None:
    fill(conversation, alice, 2)
    catch_up = CatchUp(by=bob)
    fill(conversation, alice, 2)
    assert texts(catch_up.next_page(by=bob)) == ["1", "2"]
    assert not catch_up.next_page(by=bob)
    assert end(catch_up)[-1]["data"] == {"more": False, "versions": {str(conversation.pk): 2}}


def test_a_member_who_is_removed_between_two_pages_gets_no_second_one(
    alice: User, bob: User, carol: User, group: Conversation
) -> None:
    fill(group, alice, 2 * PAGE_LENGTH)
    catch_up = CatchUp(by=bob)
    assert len(catch_up.next_page(by=bob)) == PAGE_LENGTH
    remove(bob, group)
    assert not catch_up.next_page(by=bob)
    assert not end(catch_up)[-1]["data"]["more"]


def test_exactly_a_thousand_messages_are_sent_completely(alice: User, bob: User, conversation: Conversation) -> None:
    fill(conversation, alice, MISSED_MOST)
    catch_up = CatchUp(by=bob)
    assert sum(len(page) for page in iter(lambda: catch_up.next_page(by=bob), ())) == MISSED_MOST
    assert not end(catch_up)[-1]["data"]["more"]


def test_a_device_without_the_lock_is_told_what_to_fetch(alice: User, bob: User, conversation: Conversation) -> None:
    fill(conversation, alice, 1)
    resync, caught_up = end(CatchUp(by=bob))
    assert resync == {"type": "resync", "data": {"conversation_id": str(conversation.pk)}}
    assert caught_up["data"] == {"more": True, "versions": {}}


async def test_devices_of_one_person_catch_up_one_after_the_other(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with catch_up_lock(alice.pk) as first:
        others = asyncio.create_task(try_lock(alice))
        async with catch_up_lock(bob.pk) as bobs:
            assert (first, bobs) == (True, True)
        await asyncio.sleep(0.05)
        assert not others.done()
        monkeypatch.setattr(module, "LOCK_TIMEOUT", 0.05)
        assert await try_lock(alice) is False
    assert await others is True


async def try_lock(user: User) -> bool:
    async with catch_up_lock(user.pk) as is_locked:
        return is_locked


def expire(conversation: Conversation, by: User) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(min_position=2)


def grow_old(conversation: Conversation, by: User) -> None:
    Message.objects.filter(position__lte=2).update(created_at=timezone.now() - timedelta(days=91))


def address_one(conversation: Conversation, by: User) -> None:
    Message.objects.filter(position=3).update(addressed=[by.pk])
    change_place(by, conversation, reads="addressed")


@pytest.mark.parametrize("hide", [expire, grow_old, address_one])
def test_what_is_hidden_is_not_sent(
    hide: Callable[[Conversation, User], None], alice: User, bob: User, conversation: Conversation
) -> None:
    fill(conversation, alice, 3)
    hide(conversation, bob)
    assert [texts(page) for page in pages(bob)] == [["3"]]


def test_a_conversation_of_which_all_is_hidden_is_caught_up(alice: User, bob: User, conversation: Conversation) -> None:
    fill(conversation, alice, 2)
    expire(conversation, bob)
    catch_up = CatchUp(by=bob)
    assert catch_up.next_page(by=bob) == ()
    assert end(catch_up) == [{"type": "caught_up", "data": {"more": False, "versions": {str(conversation.pk): 2}}}]
