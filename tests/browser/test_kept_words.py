"""What someone writes outlives whatever happens meanwhile, also where they are not heard any more."""

import re

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Locator, expect

from accounts.models import User
from conversations.groups import add_members, remove_member
from conversations.models import Conversation
from conversations.personal_settings import update_settings
from tests.browser.cable import Cable
from tests.browser.conftest import Enter
from tests.browser.looks import fits
from tests.browser.window import Troubles, Window
from tests.messaging.helpers import place

OWN = re.compile(r"/api/v1/conversations/[^/]+/me$")
AGAIN = 3_000
"""Milliseconds after which a page tries again what failed for the first time."""
WORDS = "Half a sentence"


def kept(window: Window) -> Locator:
    return window.page.get_by_role("textbox", name="What you had not sent")


async def remove(alice: User, group: Conversation, bob: User) -> None:
    await sync_to_async(remove_member)(by=alice, conversation_id=group.pk, user_id=bob.pk)


@pytest.mark.long
async def test_words_that_are_not_saved_yet_are_not_replaced_by_older_ones(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("net::ERR_")
    hers = await enter(alice)
    await hers.page.clock.install()
    await hers.open(conversation)
    await hers.say("Hello")
    await hers.shows("Hello")
    await hers.page.route(OWN, lambda route: route.abort())
    async with hers.page.expect_event("requestfailed"):
        await hers.field.fill(WORDS)
        await hers.field.blur()
    await sync_to_async(update_settings)(by=alice, conversation_id=conversation.pk, pinned=True)
    await expect(hers.row("Bob").locator("[data-pinned]")).to_be_visible()
    await expect(hers.field).to_have_value(WORDS)

    await hers.page.unroute_all()
    async with hers.page.expect_event("requestfinished", lambda request: bool(OWN.search(request.url))):
        await hers.page.clock.fast_forward(AGAIN)
    assert (await sync_to_async(place)(alice, conversation)).draft


@pytest.mark.long
async def test_who_is_removed_keeps_what_they_were_writing(
    enter: Enter, alice: User, bob: User, group: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 404")
    his = await enter(bob)
    await his.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await his.open(group)
    await his.field.fill(WORDS)
    await remove(alice, group, bob)
    await expect(kept(his)).to_have_value(WORDS)
    await expect(his.page.get_by_role("heading", name="You are out")).to_be_visible()
    await fits(his)
    await his.page.get_by_role("button", name="Copy").click()
    await expect(his.page.get_by_role("button", name="Copied")).to_be_visible()
    assert await his.page.evaluate("navigator.clipboard.readText()") == WORDS


async def test_who_was_writing_nothing_keeps_nothing(
    enter: Enter, alice: User, bob: User, group: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 404")
    his = await enter(bob)
    await his.open(group)
    await remove(alice, group, bob)
    await expect(his.page.get_by_role("heading", name="You are out")).to_be_visible()
    await expect(kept(his)).to_be_hidden()


@pytest.mark.long
async def test_who_is_removed_while_away_is_told_when_they_are_back(
    enter: Enter, alice: User, bob: User, group: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 404", "WebSocket connection to")
    his = await enter(bob)
    cable = await Cable.of(his.page)
    await his.page.clock.install()
    await his.open(group)
    await his.say("Here I am")
    await his.shows("Here I am")
    await cable.cut()
    await remove(alice, group, bob)
    await his.say("Nobody gets this")
    await his.field.fill(WORDS)
    cable.mend()
    await his.page.clock.fast_forward(31_000)
    await expect(his.page.get_by_role("heading", name="You are out")).to_be_visible()
    await expect(kept(his)).to_have_value(f"Nobody gets this\n\n{WORDS}")
    await expect(his.row("Garden")).to_have_count(0)

    await sync_to_async(add_members)(by=alice, conversation_id=group.pk, users=[bob])
    await expect(his.field).to_have_value(WORDS)
