"""The whole life of a group, on the screens of its members."""

import asyncio
import re
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import expect

from accounts.models import User
from conversations.creation import create_group
from conversations.groups import add_members, leave, update_group
from conversations.models import Conversation
from messaging.messages.reactions import add_reaction
from tests.browser.conftest import Enter
from tests.browser.window import Window
from tests.messaging.helpers import say
from tests.support.browser import PASSWORD

GROUP = re.compile(r"/conversations/[0-9a-f-]{36}$")


async def make_group(window: Window, name: str, *usernames: str) -> str:
    """Create a group on its page and return its address."""
    page = window.page
    await window.goto("/conversations/new")
    await page.get_by_label("Name", exact=True).fill(name)
    people = page.get_by_label("People (optional)")
    for username in usernames:
        await people.press_sequentially(username[:3])
        await page.get_by_role("option", name=f"@{username}").click()
    await page.get_by_role("button", name="Make the group").click()
    await expect(page).to_have_url(GROUP)
    return page.url


async def press(window: Window, address: str, button: str) -> None:
    """Press a button on the info page of a group."""
    await window.goto(f"{address}/info")
    await window.page.get_by_role("button", name=button, exact=True).click()


async def talk(hers: Window, his: Window) -> None:
    """Reply, react, edit and delete."""
    await hers.say("Who waters the beans?", "Oops")
    await his.menu("Who waters the beans?", "Reply")
    await his.say("I do, @alice")
    await hers.menu("I do, @alice", "React with 👍")
    await his.line("I do, @alice").get_by_role("button", name="👍 1: Alice").click()
    await expect(hers.line("I do, @alice").get_by_role("button", name="👍 2: You and Bob")).to_be_visible()
    await hers.menu("Who waters the beans?", "Edit")
    await hers.say("Who waters the beans today?")
    await expect(his.lines.filter(has_text="edited")).to_contain_text(["Who waters the beans today?"])
    await expect(his.line("I do, @alice").locator("[data-quote]")).to_contain_text("Who waters the beans today?")
    await delete(hers, "Oops")
    for window in (hers, his):
        await window.shows("Who waters the beans today?", "This message was deleted.", "I do, @alice")


async def delete(window: Window, text: str) -> None:
    """Delete a message and confirm."""
    await window.menu(text, "Delete")
    await window.page.get_by_role("button", name="Delete", exact=True).click()


async def add(window: Window, address: str, username: str) -> None:
    """Add a person on the info page of the group, chosen from the search results, which cover the button."""
    await window.goto(f"{address}/info")
    await window.page.get_by_label("Add people").press_sequentially(username[:3])
    await window.page.get_by_role("option", name=f"@{username}").click()
    await window.page.get_by_role("button", name="Add", exact=True).click()
    await expect(window.page.get_by_text("They are in.").filter(visible=True)).to_be_visible()


async def hand_over_and_leave(window: Window, address: str) -> None:
    """Make the first member in the list the owner, and leave."""
    await window.goto(f"{address}/info")
    await window.page.get_by_role("button", name="Hand it over").click()
    await window.page.get_by_text("Leave this group").click()
    await window.page.get_by_role("button", name="Leave", exact=True).click()
    await expect(window.page.get_by_text("You have left the group.").filter(visible=True)).to_be_visible()


@pytest.mark.long
async def test_the_life_of_a_group(enter: Enter, alice: User, bob: User, carol: User) -> None:
    hers, his, carols = await enter(alice), await enter(bob), await enter(carol)
    await asyncio.gather(his.goto("/"), carols.goto("/"))
    address = await make_group(hers, "Garden", "bob")
    await expect(hers.notices).to_have_text(["You made the group “Garden”."])
    await his.row("Garden").click()
    await talk(hers, his)

    # Who comes sees nothing from before; who becomes an admin may do more at once.
    await add(hers, address, "carol")
    await carols.row("Garden").click()
    await expect(carols.notices).to_have_text(["Alice added you."])
    await carols.shows()
    await expect(his.page.get_by_text("3 members")).to_be_visible()
    await press(hers, address, "Make Bob an admin")
    await carols.say("Hello everyone")
    await delete(his, "Hello everyone")
    await carols.shows("This message was deleted.")

    # The owner hands the group over and leaves; a removed member is told so on the page where she is.
    await hand_over_and_leave(hers, address)
    await expect(carols.notices).to_have_text(
        ["Alice added you.", "Alice handed the group over to Bob.", "Alice left."]
    )
    await press(his, address, "Remove Carol")
    await expect(carols.page.get_by_role("heading", name="You are no longer in this group")).to_be_visible()
    await expect(carols.row("Garden")).to_have_count(0)


async def test_an_invite_link_brings_a_new_person_into_the_group(enter: Enter, alice: User, bob: User) -> None:
    hers, theirs = await enter(alice), await enter()
    address = await make_group(hers, "Garden", "bob")
    await hers.say("Before the newcomer")
    await hers.shows("Before the newcomer")
    await press(hers, address, "Make a link")
    link = await hers.page.get_by_label("Link", exact=True).input_value()

    page = theirs.page
    await theirs.goto("/join/" + link.rpartition("/")[2])
    await expect(page.get_by_text("2 members")).to_be_visible()
    await page.get_by_role("button", name="Join").click()
    await page.get_by_role("link", name="Make an account").click()
    await page.get_by_label("Username").fill("dora")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password (again)").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await expect(page).to_have_url(address)
    await expect(theirs.notices).to_have_text(["You joined by a link."])
    await theirs.shows()


async def test_personal_settings_change_on_all_devices(enter: Enter, alice: User, group: Conversation) -> None:
    choir = await sync_to_async(create_group)(by=alice, name="Choir")
    await sync_to_async(say)(alice, group, "The beans!")
    desk = await enter(alice)
    phone = Window(await desk.page.context.new_page())
    await phone.goto("/")
    rows = phone.inbox.get_by_role("listitem")
    await expect(rows).to_contain_text(["Garden", "Choir"])

    await press(desk, f"/conversations/{choir.pk}", "Pin to the top")
    await expect(rows).to_contain_text(["Choir", "Garden"])
    await desk.page.get_by_role("button", name="1 day").click()
    await expect(phone.row("Choir").get_by_title("Muted")).to_be_visible()
    await desk.page.get_by_role("button", name="Archive").click()
    await expect(phone.row("Choir")).to_have_count(0)
    await phone.page.get_by_role("link", name="Archived 1").click()
    await expect(phone.row("Choir")).to_be_visible()


async def test_only_messages_move_a_conversation_up(
    enter: Enter, alice: User, bob: User, conversation: Conversation, group: Conversation
) -> None:
    choir = await sync_to_async(create_group)(by=alice, name="Choir")
    sung = await sync_to_async(say)(alice, choir, "La la la")
    await sync_to_async(say)(alice, group, "The beans!")
    await sync_to_async(add_reaction)(by=alice, message_id=UUID(sung["id"]), emoji="👍")
    hers = await enter(alice)
    await hers.goto("/")
    await sync_to_async(say)(bob, conversation, "Hi")
    await expect(hers.inbox.get_by_role("listitem")).to_contain_text(["Hi", "Garden", "Choir"])


async def test_a_notice_is_not_unread_and_moves_nothing_up(
    enter: Enter, alice: User, bob: User, group: Conversation
) -> None:
    choir = await sync_to_async(create_group)(by=alice, name="Choir", participants=[bob])
    hers = await enter(alice)
    await hers.goto("/")
    rows = hers.inbox.get_by_role("listitem")
    await expect(rows).to_contain_text(["Choir", "Garden"])
    await expect(hers.row("Choir")).to_contain_text("Say hello to the group")
    await sync_to_async(say)(bob, choir, "La la la")
    await sync_to_async(say)(bob, group, "The beans!")
    await expect(rows).to_contain_text(["The beans!", "La la la"])
    # The name comes with the notice: once it shows, the notice has been received.
    await sync_to_async(leave)(by=bob, conversation_id=choir.pk)
    await sync_to_async(update_group)(by=alice, conversation_id=choir.pk, name="Choir of one")
    await expect(rows).to_contain_text(["Garden", "Choir of one"])
    await expect(rows).to_contain_text(["The beans!", "La la la"])
    assert [await row.locator("[data-badge-count]").text_content() for row in await rows.all()] == ["1", "1"]
    await hers.page.reload()
    await expect(rows).to_contain_text(["The beans!", "La la la"])


@pytest.mark.long
async def test_a_group_that_someone_is_added_to_is_at_the_top(
    enter: Enter, alice: User, carol: User, conversation: Conversation
) -> None:
    choir = await sync_to_async(create_group)(by=alice, name="Choir")
    await sync_to_async(create_group)(by=carol, name="Garden")
    window = await enter(carol)
    await window.goto("/")
    rows = window.inbox.get_by_role("listitem")
    await expect(rows).to_contain_text(["Garden"])
    await sync_to_async(add_members)(by=alice, conversation_id=choir.pk, users=[carol])
    await expect(rows).to_contain_text(["Choir", "Garden"])
    await window.page.reload()
    await expect(rows).to_contain_text(["Choir", "Garden"])
