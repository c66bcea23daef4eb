"""Drafts survive whatever happens meanwhile, also when their author is removed from the conversation."""

import re

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Locator, expect

from accounts.models import User
from conversations.groups import add_members, remove_member
from conversations.models import Conversation
from conversations.personal_settings import update_settings
from tests.browser.conftest import Enter
from tests.browser.connection import Connection
from tests.browser.layout import fits
from tests.browser.window import Troubles, Window
from tests.messaging.helpers import place

OWN = re.compile(r"/api/v1/conversations/[^/]+/me$")
AGAIN = 3_000
"""Milliseconds after which a page retries its first failure."""
WORDS = "Half a sentence"


def kept(window: Window) -> Locator:
    return window.page.get_by_role("textbox", name="Your unsent message")


async def remove(alice: User, group: Conversation, bob: User) -> None:
    await sync_to_async(remove_member)(by=alice, conversation_id=group.pk, user_id=bob.pk)


@pytest.mark.long
async def test_an_unsaved_draft_is_not_replaced_by_an_older_one(
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
async def test_a_removed_member_keeps_what_they_were_writing(
    enter: Enter, alice: User, bob: User, group: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 404")
    his = await enter(bob)
    await his.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await his.open(group)
    await his.field.fill(WORDS)
    await remove(alice, group, bob)
    await expect(kept(his)).to_have_value(WORDS)
    await expect(his.page.get_by_role("heading", name="You are no longer in this group")).to_be_visible()
    await fits(his)
    await his.page.get_by_role("button", name="Copy").click()
    await expect(his.page.get_by_role("button", name="Copied")).to_be_visible()
    assert await his.page.evaluate("navigator.clipboard.readText()") == WORDS


async def test_a_removed_member_without_a_draft_is_offered_nothing(
    enter: Enter, alice: User, bob: User, group: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 404")
    his = await enter(bob)
    await his.open(group)
    await remove(alice, group, bob)
    await expect(his.page.get_by_role("heading", name="You are no longer in this group")).to_be_visible()
    await expect(kept(his)).to_be_hidden()


@pytest.mark.long
async def test_a_member_removed_while_offline_is_told_when_back(
    enter: Enter, alice: User, bob: User, group: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 404", "WebSocket connection to")
    his = await enter(bob)
    connection = await Connection.of(his.page)
    await his.page.clock.install()
    await his.open(group)
    await his.say("Here I am")
    await his.shows("Here I am")
    await connection.cut()
    await remove(alice, group, bob)
    await his.say("Nobody gets this")
    await his.field.fill(WORDS)
    connection.restore()
    await his.page.clock.fast_forward(31_000)
    await expect(his.page.get_by_role("heading", name="You are no longer in this group")).to_be_visible()
    await expect(kept(his)).to_have_value(f"Nobody gets this\n\n{WORDS}")
    await expect(his.row("Garden")).to_have_count(0)

    await sync_to_async(add_members)(by=alice, conversation_id=group.pk, users=[bob])
    await expect(his.field).to_have_value(WORDS)
