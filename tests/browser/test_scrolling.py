"""Scrolling a long conversation: new messages scroll into view at the end, and do not disturb a reader further up."""

import asyncio
import re

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Route, expect

from accounts.models import User
from conversations.models import Conversation
from tests.browser.conftest import Enter
from tests.messaging.helpers import fill, say

MESSAGES = 120
OLDER = re.compile(r"/messages/conversation/.*before=")


@pytest.fixture
def talk(conversation: Conversation, bob: User) -> Conversation:
    """Bob has sent 1, 2, 3 … to Alice."""
    fill(conversation, bob, MESSAGES)
    return conversation


async def test_at_the_end_a_new_message_scrolls_into_view(
    enter: Enter, alice: User, bob: User, talk: Conversation
) -> None:
    hers = await enter(alice)
    await hers.open(talk)
    await expect(hers.line("120")).to_be_in_viewport()

    await sync_to_async(say)(bob, talk, "News\n" * 10)
    await expect(hers.lines.last).to_contain_text("News")
    await expect(hers.lines.last).to_be_in_viewport(ratio=1)
    await expect(hers.newest).to_be_hidden()


async def test_further_up_a_new_message_does_not_scroll(
    enter: Enter, alice: User, bob: User, talk: Conversation
) -> None:
    hers = await enter(alice)
    await hers.open(talk)
    await hers.line("95").scroll_into_view_if_needed()
    before = await hers.top_of(hers.line("95"))

    await sync_to_async(say)(bob, talk, "News")
    await expect(hers.line("News")).not_to_be_in_viewport()
    assert await hers.top_of(hers.line("95")) == pytest.approx(before, abs=1)
    await expect(hers.newest).to_contain_text("1")

    await hers.newest.click()
    await expect(hers.line("News")).to_be_in_viewport()
    await expect(hers.newest).to_be_hidden()


async def test_scrolling_up_loads_older_messages_until_the_first(enter: Enter, alice: User, talk: Conversation) -> None:
    hers = await enter(alice)
    await hers.open(talk)
    await expect(hers.lines).to_have_count(50)
    await hers.log.hover()

    for count in (100, MESSAGES):
        while await hers.lines.count() < count:
            await hers.page.mouse.wheel(0, -500)
            await hers.page.evaluate("new Promise(requestAnimationFrame)")
    await hers.line("1").scroll_into_view_if_needed()
    await hers.shows(*(str(n + 1) for n in range(MESSAGES)))


async def test_older_messages_are_inserted_above_the_view(enter: Enter, alice: User, talk: Conversation) -> None:
    hers = await enter(alice)
    await hers.open(talk)
    arrival = asyncio.Event()

    async def come_late(route: Route) -> None:
        await arrival.wait()
        await route.continue_()

    await hers.page.route(OLDER, come_late)
    await hers.line("75").scroll_into_view_if_needed()
    before = await hers.top_of(hers.line("75"))
    arrival.set()
    await expect(hers.lines).to_have_count(100)
    assert await hers.top_of(hers.line("75")) == pytest.approx(before, abs=1)


async def test_the_home_key_scrolls_to_the_top(enter: Enter, alice: User, talk: Conversation) -> None:
    hers, arrival = await enter(alice), asyncio.Event()
    await hers.open(talk)

    async def come_late(route: Route) -> None:
        await arrival.wait()
        await route.continue_()

    # In Chromium, what is drawn meanwhile ends the scrolling by a key.
    await hers.page.route(OLDER, come_late)
    await hers.until_drawn()
    await hers.log.focus()
    await hers.page.keyboard.press("Home")
    await expect(hers.line("71")).to_be_in_viewport()
    arrival.set()
    await expect(hers.lines).to_have_count(100)


async def test_an_address_with_an_older_message_jumps_to_it(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    first = await sync_to_async(say)(bob, conversation, "The first of all")
    await sync_to_async(fill)(conversation, bob, MESSAGES)
    hers = await enter(alice)
    await hers.goto(f"/messages/{first['id']}")
    await hers.page.get_by_role("link", name="Back to the conversation").click()
    await expect(hers.line("The first of all")).to_be_in_viewport()
    await hers.newest.click()
    await expect(hers.line(str(MESSAGES))).to_be_in_viewport()
    assert await hers.texts() == ["The first of all", *(str(n + 1) for n in range(MESSAGES))]
