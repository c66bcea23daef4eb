"""Who is online and who is typing, on the pages of two people."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import expect

from accounts.models import User
from conversations.contacts.profile import update_me
from conversations.models import Conversation
from messaging.presence.queries import viewers_of
from tests.browser.conftest import Enter
from tests.browser.layout import fits
from tests.browser.window import Window

TYPES = {"delay": 30}


def about(window: Window, text: str) -> object:
    """A visible line of the header of the conversation."""
    return window.page.get_by_role("main").locator(".app__bar").get_by_text(text).filter(visible=True)


async def test_the_other_person_is_shown_online_and_offline(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await hers.open(conversation)
    await expect(about(hers, "@bob")).to_be_visible()
    await expect(about(hers, "online")).to_be_hidden()
    await his.goto("/")
    await expect(about(hers, "online")).to_be_visible()
    await his.page.close()
    await expect(about(hers, "last seen now")).to_be_visible()
    await expect(about(hers, "online")).to_be_hidden()


async def test_typing_is_shown_until_the_message_arrives(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(hers.open(conversation), his.open(conversation))
    await expect(about(hers, "online")).to_be_visible()
    await his.field.press_sequentially("Hel", **TYPES)
    await expect(about(hers, "typing…")).to_be_visible()
    await expect(hers.row("Bob")).to_contain_text("typing…")
    await expect(about(hers, "@bob")).to_be_hidden()
    await his.field.press_sequentially("lo", **TYPES)
    await his.field.press("Enter")
    await hers.shows("Hello")
    await expect(about(hers, "typing…")).to_be_hidden()
    await expect(about(hers, "@bob")).to_be_visible()
    await expect(hers.row("Bob")).to_contain_text("Hello")


async def test_typing_ends_when_the_field_is_emptied_or_left(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(hers.open(conversation), his.open(conversation))
    await expect(about(hers, "online")).to_be_visible()
    for stop in (lambda: his.field.fill(""), his.field.blur):
        await his.field.press_sequentially("Hm", **TYPES)
        await expect(about(hers, "typing…")).to_be_visible()
        await stop()
        # Silence alone would take six seconds.
        await expect(about(hers, "typing…")).to_be_hidden(timeout=4000)


async def test_a_group_sees_who_is_typing(
    enter: Enter, alice: User, bob: User, carol: User, group: Conversation
) -> None:
    hers, his, carols = await enter(alice), await enter(bob), await enter(carol)
    await asyncio.gather(*(window.open(group) for window in (hers, his, carols)))
    await expect(about(hers, "3 members")).to_be_visible()
    await asyncio.gather(*(window.page.wait_for_load_state("networkidle") for window in (hers, his, carols)))
    await his.field.press_sequentially("I", **TYPES)
    await expect(about(hers, "Bob is typing…")).to_be_visible()
    await carols.field.press_sequentially("I", **TYPES)
    await expect(about(hers, "Bob and Carol are typing…")).to_be_visible()
    await expect(hers.row("Garden")).to_contain_text("Bob and Carol are typing…")
    await expect(about(his, "Carol is typing…")).to_be_visible()


async def test_an_open_conversation_is_reported_while_it_is_open(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers = await enter(alice)
    await hers.open(conversation)
    await looks(conversation, {alice.pk})
    await hers.goto("/")
    await looks(conversation, set())


async def looks(conversation: Conversation, wanted: set[object]) -> None:
    """Wait until exactly these people have a conversation open."""
    async with asyncio.timeout(15):
        while await sync_to_async(viewers_of)(conversation.pk) != wanted:  # noqa: ASYNC110 (it is Redis that changes)
            await asyncio.sleep(0.05)


@pytest.mark.long
async def test_a_profile_shows_presence_unless_it_is_hidden(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await hers.goto(f"/people/{bob.pk}")
    main = hers.page.get_by_role("main")
    await his.goto("/")
    await expect(main.get_by_text("online")).to_be_visible()
    await his.page.close()
    await expect(main.get_by_text("last seen now")).to_be_visible()
    await sync_to_async(update_me)(by=bob, settings={"last_seen": False})
    await hers.page.reload()
    await expect(main.get_by_text("last seen")).to_be_hidden()


async def test_a_profile_shows_presence_without_scripts(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice, java_script_enabled=False), await enter(bob)
    await his.goto("/")
    await looks_here(hers, bob, "online")
    await his.page.close()
    await looks_here(hers, bob, "last seen just now")


async def looks_here(window: Window, user: User, text: str) -> None:
    """Reload a person's page until it shows this text."""
    async with asyncio.timeout(15):
        while True:
            await window.goto(f"/people/{user.pk}")
            if await window.page.get_by_role("main").get_by_text(text).is_visible():
                return


async def test_the_header_fits_long_names_and_presence(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(hers.open(conversation), his.open(conversation))
    await expect(about(hers, "online")).to_be_visible()
    await fits(hers)
    await his.field.press_sequentially("Hm", **TYPES)
    await expect(about(hers, "typing…")).to_be_visible()
    await fits(hers)
