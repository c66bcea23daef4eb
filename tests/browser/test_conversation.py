"""Two people and their windows: what one writes, the other sees, and both find it again after a reload."""

import asyncio
import re

from playwright.async_api import expect

from accounts.models import User
from conversations.models import Conversation
from tests.browser.conftest import Enter
from tests.browser.window import Troubles


async def test_a_message_appears_on_the_other_screen_at_once(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(hers.open(conversation), his.open(conversation))

    await hers.say("Are you there?")
    await his.shows("Are you there?")
    await his.say("Yes, <b>always</b> 🙂")
    await hers.shows("Are you there?", "Yes, <b>always</b> 🙂")

    await hers.page.reload()
    await hers.shows("Are you there?", "Yes, <b>always</b> 🙂")


async def test_both_screens_agree_on_the_order(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(hers.open(conversation), his.open(conversation))

    await asyncio.gather(hers.say(*"abcdef"), his.say(*"uvwxyz"))
    for window in (hers, his):
        await expect(window.lines).to_have_count(12)
        await expect(window.lines.get_by_title("Sending").filter(visible=True)).to_have_count(0)

    order = await his.texts()
    assert await hers.texts() == order
    assert [text for text in order if text in "abcdef"] == [*"abcdef"]
    await his.page.reload()
    await his.shows(*order)


async def test_a_message_is_unread_until_the_conversation_is_opened(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(hers.open(conversation), his.goto("/"))
    row = his.row("Alice")

    await hers.say("One", "Two")
    await expect(row).to_contain_text("Two")
    await expect(row.get_by_text("2unread")).to_be_visible()
    await expect(his.page).to_have_title("(1) Parley")

    await row.click()
    await his.shows("One", "Two")
    await expect(row.get_by_text("unread")).to_be_hidden()
    await his.goto("/")
    await expect(row).to_contain_text("Two")
    await expect(row.get_by_text("unread")).to_be_hidden()


async def test_a_new_group_appears_with_the_names_of_its_members(
    enter: Enter, alice: User, bob: User, carol: User
) -> None:
    hers, his, carols = await enter(alice), await enter(bob), await enter(carol)
    await asyncio.gather(his.goto("/"), carols.goto("/"), hers.goto("/conversations/new"))
    await expect(his.inbox).to_contain_text("It is quiet here")

    await hers.page.get_by_label("Name", exact=True).fill("Garden")
    await hers.page.get_by_label("People (optional)").fill("bob, @carol")
    await hers.page.get_by_role("button", name="Make the group").click()
    await hers.say("Who waters the beans?")
    await his.row("Garden").click()
    await his.say("I do")
    await carols.row("Garden").click()

    await carols.shows("Who waters the beans?", "I do")
    await expect(carols.line("Who waters the beans?").get_by_text("Alice", exact=True)).to_be_visible()
    await expect(carols.line("I do").get_by_text("Bob", exact=True)).to_be_visible()
    await expect(carols.row("Garden")).to_contain_text("Bob: I do")
    await carols.say("Thank you")
    await expect(his.line("Thank you").get_by_text("Carol", exact=True)).to_be_visible()


async def test_a_first_message_adds_the_conversation_to_the_others_inbox(enter: Enter, alice: User, bob: User) -> None:
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(his.goto("/"), hers.goto("/conversations/new"))

    await hers.page.get_by_label("Username").fill("bob")
    await hers.page.get_by_role("button", name="Start", exact=True).click()
    await expect(hers.page).to_have_url(re.compile(r"/conversations/[0-9a-f-]{36}$"))
    await hers.say("Hello Bob")

    await expect(his.row("Alice")).to_contain_text("Hello Bob")
    await expect(his.row("Alice").get_by_text("unread")).to_be_visible()


async def test_errors_in_a_window_are_noticed(enter: Enter, alice: User, troubles: Troubles) -> None:
    window = await enter(alice)
    await window.goto("/")
    await window.page.evaluate("document.body.setAttribute('style', 'color: red'); setTimeout(() => nobody.knows())")
    await expect(window.inbox).to_be_visible()
    seen = " ".join(troubles.unexpected)
    assert "CSP: style-src-attr" in seen
    assert "nobody is not defined" in seen
    troubles.expect("style", "nobody")
