"""Delivery by the hub to the devices that are connected to one server process."""

import asyncio
from asyncio import gather
from itertools import count

import pytest

from accounts.models import User
from conversations.models import Conversation
from messaging.realtime.hub import Hub
from tests.messaging.helpers import send_by_socket
from tests.messaging.realtime.unpublished import say
from tests.messaging.screen import Screen

pytestmark = pytest.mark.usefixtures("live")


async def test_a_message_is_delivered_to_every_device_of_its_members_and_to_no_other(
    conversation: Conversation, alice: User, bob: User, mallory: User
) -> None:
    hers, phone, laptop, strangers = [await Screen.of(user) for user in (alice, bob, bob, mallory)]
    await say(alice, conversation)
    await gather(hers.hears("Hi"), phone.hears("Hi"), laptop.hears("Hi"))
    await strangers.hears_nothing()


async def test_an_event_shows_the_message_its_conversation_and_its_version(
    conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)
    said = await send_by_socket(by_id=alice.pk, conversation_id=conversation.pk, text="Hi")
    data = {"conversation_id": str(conversation.pk), "version": 1, "message": said.message}
    assert await screen.next() == {"type": "message.created", "data": data}


async def test_all_server_processes_receive_what_one_of_them_commits(
    conversation: Conversation, alice: User, bob: User
) -> None:
    here, there = await Screen.of(alice), await Screen.of(bob, hub=Hub())
    await gather(*(say(by, conversation, "Hi") for by in (alice, bob) * 20))
    await gather(here.hears(*["Hi"] * 40), there.hears(*["Hi"] * 40))


async def test_a_new_device_receives_later_messages_once(conversation: Conversation, alice: User, bob: User) -> None:
    before = await Screen.of(bob)
    await say(alice, conversation, "before")
    await before.hears("before")
    screen = await Screen.of(bob)
    await say(alice, conversation, "after")
    await screen.hears("after")
    await screen.hears_nothing()


async def test_devices_that_connect_during_many_sends_miss_no_later_message(
    conversation: Conversation, alice: User, bob: User
) -> None:
    numbers, all_are_here = count(), asyncio.Event()

    async def talk() -> None:
        while not all_are_here.is_set():
            await say(alice, conversation, str(next(numbers)))

    talking = asyncio.ensure_future(talk())
    screens = [await Screen.of(bob) for _ in range(8)]
    all_are_here.set()
    await talking
    await say(alice, conversation, str(last := next(numbers)))
    assert all(screen.is_open for screen in screens)
    for screen in screens:
        first = int((await screen.next())["data"]["message"]["text"])
        await screen.hears(*(str(n) for n in range(first + 1, last + 1)))


async def test_a_device_that_has_disconnected_receives_nothing_and_the_other_still_does(
    conversation: Conversation, alice: User, bob: User
) -> None:
    phone, laptop = await Screen.of(bob), await Screen.of(bob)
    phone.leave()
    await say(alice, conversation)
    await laptop.hears("Hi")
    await phone.hears_nothing()


async def test_a_person_who_reconnects_after_their_last_device_has_gone_receives_again(
    conversation: Conversation, alice: User, bob: User
) -> None:
    for text in ("one", "two", "three"):
        screen = await Screen.of(bob)
        await say(alice, conversation, text)
        await screen.hears(text)
        screen.leave()
