"""The menu of a message by keyboard and touch, mention suggestions, quotes and drafts."""

import asyncio
import re
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import expect

from accounts.models import User
from conversations.models import Conversation, Participant
from tests.browser.conftest import Enter
from tests.browser.layout import fits
from tests.browser.window import Window
from tests.messaging.helpers import fill, say

LONG_PRESS = 700  # milliseconds


async def test_the_menu_works_by_keyboard(enter: Enter, alice: User, bob: User, conversation: Conversation) -> None:
    await sync_to_async(say)(bob, conversation, "Look at this")
    hers = await enter(alice)
    page, keys = hers.page, hers.page.keyboard
    await hers.open(conversation)
    button = hers.line("Look at this").get_by_title("More")
    await button.focus()
    await keys.press("Enter")
    await expect(page.get_by_role("menuitem", name="React with 👍")).to_be_focused()
    await keys.press("End")
    await expect(page.get_by_role("menuitem", name="Report")).to_be_focused()
    await keys.press("Escape")
    await expect(page.get_by_role("menu")).to_be_hidden()
    await expect(button).to_be_focused()

    await keys.press("Space")
    await keys.press("Enter")
    await expect(hers.line("Look at this").get_by_role("button", name="👍 1: You")).to_be_visible()
    await button.focus()
    await keys.press("Enter")
    await page.get_by_role("menuitem", name="React with another emoji").press("Enter")
    await page.get_by_role("textbox", name="Which emoji?").fill("🦔")
    await keys.press("Enter")
    await expect(hers.line("Look at this").get_by_role("button", name="🦔 1: You")).to_be_visible()
    await button.focus()
    await keys.press("Enter")
    await page.get_by_role("menuitem", name="Reply").press("Enter")
    await expect(hers.field).to_be_focused()
    await expect(page.get_by_text("Reply to Bob")).to_be_visible()
    await keys.press("Escape")
    await expect(page.get_by_text("Reply to Bob")).to_be_hidden()
    await fits(hers)


async def test_a_long_press_opens_the_menu(enter: Enter, alice: User, bob: User, conversation: Conversation) -> None:
    await sync_to_async(say)(bob, conversation, "Look at this")
    hers = await enter(alice, has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    await hers.open(conversation)
    await expect(hers.line("Look at this")).to_be_visible()
    box = await hers.page.get_by_text("Look at this").last.bounding_box()
    assert box
    finger = await hers.page.context.new_cdp_session(hers.page)
    spot = {"x": box["x"] + 10, "y": box["y"] + 5}
    await hers.page.wait_for_load_state()
    await finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [spot]})
    await expect(hers.page.get_by_role("menu")).to_be_visible()
    await finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await hers.page.get_by_role("menuitem", name="React with 😂").tap()
    await expect(hers.line("Look at this").get_by_role("button", name="😂 1: You")).to_be_visible()
    await expect(hers.page.get_by_role("menu")).to_be_hidden()


async def test_an_at_sign_suggests_the_members(
    enter: Enter, alice: User, bob: User, carol: User, group: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(hers.open(group), his.goto("/"))
    await hers.page.wait_for_load_state()
    await hers.field.press_sequentially("Ask @")
    await expect(hers.page.get_by_role("option")).to_contain_text(["Bob", "Carol", "Everyone"])
    await hers.field.press_sequentially("bo")
    await hers.field.press("Enter")
    await expect(hers.field).to_have_value("Ask @bob ")
    await hers.field.press("Enter")
    await expect(his.row("Garden").get_by_title("You are mentioned")).to_be_visible()
    await his.row("Garden").click()
    await expect(his.page.locator(".mention--me")).to_have_text("@bob")


async def test_an_at_sign_suggests_members_of_a_very_large_group(
    enter: Enter, alice: User, group: Conversation
) -> None:
    await sync_to_async(crowd)(group, 120)
    hers = await enter(alice)
    await hers.open(group)
    await hers.field.press_sequentially("Ask @member-11")
    await expect(hers.page.get_by_role("option")).to_contain_text([f"@member-11{n}" for n in range(6)])


def crowd(group: Conversation, size: int) -> None:
    """Fill a group with people."""
    names = [f"member-{n:03}" for n in range(size)]
    some = User.objects.bulk_create([User(username=name, password="!") for name in names])
    Participant.objects.bulk_create([Participant(conversation=group, user=user) for user in some])


async def test_a_quote_jumps_to_its_message(enter: Enter, alice: User, bob: User, conversation: Conversation) -> None:
    first = await sync_to_async(say)(bob, conversation, "The first of all")
    await sync_to_async(fill)(conversation, bob, 120)
    await sync_to_async(say)(alice, conversation, "An answer", reply_to_id=UUID(first["id"]))
    hers = await enter(alice)
    await hers.open(conversation)
    quote = hers.line("An answer").locator("[data-quote]")
    await expect(quote).to_contain_text("Bob The first of all")
    await hers.page.wait_for_load_state()
    await quote.click()
    await expect(hers.line("The first of all").locator("[data-text]").last).to_be_in_viewport()


async def test_a_draft_is_on_all_devices(enter: Enter, alice: User, conversation: Conversation) -> None:
    desk = await enter(alice)
    phone = Window(await desk.page.context.new_page())
    for window in (desk, phone):
        await window.open(conversation)
    await desk.field.fill("Half a thou")
    await expect(phone.field).to_have_value("Half a thou")
    await desk.log.focus()
    await phone.field.fill("Half a thought")
    await expect(desk.field).to_have_value("Half a thought")
    await desk.goto("/")
    await expect(desk.row("Bob")).to_contain_text("Draft: Half a thought")
    await phone.field.press("Enter")
    await expect(desk.row("Bob")).to_contain_text("You: Half a thought")
    await desk.open(conversation)
    await expect(desk.field).to_have_value("")


async def test_message_actions_work_without_scripts(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(say)(alice, conversation, "Look at this")
    window = await enter(alice, java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = window.page
    await window.open(conversation)
    await window.line("Look at this").get_by_title("More").click()
    await page.get_by_role("button", name="React with ❤️").click()
    await page.get_by_label("Text").fill("Look at that")
    await page.get_by_role("button", name="Save").click()
    await window.shows("Look at that")
    await window.line("Look at that").get_by_role("button", name="❤️ 1: You").click()
    await expect(page).to_have_url(re.compile(r"/conversations/[^/]*$"))
    await expect(window.line("Look at that").get_by_role("button", name="❤️")).to_have_count(0)
    await window.line("Look at that").get_by_title("More").click()
    await page.get_by_label("Your reply").fill("And this")
    await page.get_by_role("button", name="Reply").click()
    await expect(window.line("And this").get_by_role("link", name="Alice Look at that")).to_be_visible()
    await window.line("Look at that").get_by_title("More").click()
    await page.get_by_text("Delete this message").click()
    await page.get_by_role("button", name="Delete it").click()
    await window.shows("This message was deleted.", "And this")


@pytest.mark.parametrize("path", ["", "/info"])
async def test_pages_of_a_group_fit_any_window(enter: Enter, alice: User, group: Conversation, path: str) -> None:
    window = await enter(alice)
    await window.goto(f"/conversations/{group.pk}{path}")
    await expect(window.page.get_by_role("main")).to_be_visible()
    await fits(window)
