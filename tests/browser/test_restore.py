"""A backup is restored while pages are open: they show what is true now, and keep what their person has written."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import expect

from accounts.models import User
from conversations.creation import create_group
from conversations.models import Conversation, Participant
from conversations.personal_settings import draft_of
from messaging.models import Attachment, Message
from tests.browser.conftest import Enter
from tests.browser.connection import Connection, lose_the_first_message
from tests.browser.window import Troubles, Window
from tests.messaging.helpers import fill, place, say
from tests.support import samples

PICTURE = {"name": "cat.png", "mimeType": "image/png", "buffer": b"\x89PNG"}
BEFORE = [f"Before {number}" for number in range(6)]
Restore = Callable[..., Awaitable[tuple[int, int]]]


@pytest.fixture
def restore(restored: Callable[..., tuple[int, int]]) -> Restore:
    return sync_to_async(restored)


@sync_to_async
def have_said(by: User, conversation: Conversation, *texts: str) -> None:
    for text in texts:
        say(by, conversation, text)


async def test_a_page_shows_what_is_true_now_and_sends_what_it_had_not_sent(
    enter: Enter, restore: Restore, alice: User, bob: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("WebSocket connection to")
    await have_said(bob, conversation, *BEFORE)
    hers = await enter(alice)
    connection = await Connection.of(hers.page)
    await hers.open(conversation)
    await hers.shows(*BEFORE)
    await hers.until_drawn()

    await connection.cut()
    await hers.say("Not sent yet")
    await expect(hers.line("Not sent yet").get_by_title("Sending")).to_be_visible()
    await hers.page.locator("[data-files]").set_input_files(PICTURE)
    await hers.field.fill("Half a thought")
    await restore(conversation.pk, to=2)
    await have_said(bob, conversation, "After")
    connection.restore()

    await hers.shows("Before 0", "Before 1", "After", "Not sent yet")
    await expect(hers.field).to_have_value("Half a thought")
    await expect(hers.page.get_by_text("cat.png")).to_be_visible()
    await expect(hers.row("Bob")).to_contain_text("Not sent yet")
    assert await Message.objects.filter(conversation=conversation).acount() == 4
    await have_said(bob, conversation, "And on")
    await hers.shows("Before 0", "Before 1", "After", "Not sent yet", "And on")


async def test_two_tabs_that_are_open_and_connected_follow_the_restore_by_themselves(
    enter: Enter, restore: Restore, alice: User, bob: User, conversation: Conversation
) -> None:
    await have_said(bob, conversation, *BEFORE)
    one = await enter(alice)
    other = Window(await one.page.context.new_page())
    await asyncio.gather(one.open(conversation), other.open(conversation))
    for tab in (one, other):
        await tab.shows(*BEFORE)
    await restore(conversation.pk, to=1)
    await have_said(bob, conversation, "Now", "and here")
    for tab in (one, other):
        await tab.shows("Before 0", "Now", "and here")
        await expect(tab.row("Bob")).to_contain_text("and here")
    await one.say("Yes")
    await other.shows("Before 0", "Now", "and here", "Yes")
    await have_said(bob, conversation, "Good")
    for tab in (one, other):
        await tab.shows("Before 0", "Now", "and here", "Yes", "Good")
    assert (await sync_to_async(place)(alice, conversation)).read_through <= 5


@pytest.mark.long
async def test_older_messages_can_still_be_loaded_and_nothing_of_before_comes_with_them(
    enter: Enter, restore: Restore, alice: User, bob: User, conversation: Conversation
) -> None:
    hers = await enter(alice)
    await hers.open(conversation)
    await sync_to_async(fill)(conversation, bob, 70)
    await expect(hers.said).to_have_count(70)
    await restore(conversation.pk, to=60)
    await have_said(bob, conversation, "After")
    latest = [str(number) for number in range(12, 61)]
    await hers.shows(*latest, "After")
    await hers.said.first.scroll_into_view_if_needed()
    await expect(hers.said).to_have_text([*(str(number) for number in range(1, 61)), "After"])


@pytest.mark.long
async def test_a_draft_that_the_backup_does_not_have_is_saved_again(
    enter: Enter, restore: Restore, alice: User, bob: User, conversation: Conversation
) -> None:
    hers = await enter(alice)
    await hers.open(conversation)
    async with hers.page.expect_response(lambda answer: answer.url.endswith("/me") and answer.ok):
        await hers.field.fill("Half a thought")
    async with hers.page.expect_response(lambda answer: answer.url.endswith("/me") and answer.ok):
        await Participant.objects.filter(user=alice).aupdate(draft=None)
        await restore(conversation.pk, to=0)
    assert draft_of(await sync_to_async(place)(alice, conversation)) == "Half a thought"
    await expect(hers.field).to_have_value("Half a thought")


@pytest.mark.long
async def test_a_file_whose_upload_the_backup_does_not_have_is_uploaded_again(
    enter: Enter, restore: Restore, alice: User, bob: User, conversation: Conversation
) -> None:
    hers = await enter(alice)
    swallowed = await lose_the_first_message(hers.page)
    await hers.open(conversation)
    await hers.page.locator("[data-files]").set_input_files({**PICTURE, "buffer": samples.picture("PNG")})
    await hers.say("Look!")
    await asyncio.wait_for(swallowed.wait(), 20)
    await Attachment.objects.all().adelete()
    await restore(conversation.pk, to=0)
    await hers.shows("Look!")
    assert await Attachment.objects.filter(message_id__isnull=False).acount() == 1


@pytest.mark.long
async def test_a_conversation_that_the_backup_does_not_have_gives_back_what_was_not_sent(
    enter: Enter, restore: Restore, alice: User, bob: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 404")
    group = await sync_to_async(create_group)(by=alice, name="Later", participants=[bob])
    hers = await enter(alice)
    await hers.open(group)
    await hers.field.fill("For nobody")
    await Message.objects.filter(conversation=group).adelete()
    await Conversation.objects.filter(pk=group.pk).adelete()
    await restore(conversation.pk, to=0)
    await expect(hers.page.get_by_label("Your unsent message")).to_have_value("For nobody")
    await expect(hers.row("Later")).to_have_count(0)
    await expect(hers.row("Bob")).to_be_visible()


@pytest.mark.long
async def test_a_page_about_people_reloads_unless_a_form_on_it_is_begun(
    enter: Enter, restore: Restore, alice: User, bob: User, conversation: Conversation
) -> None:
    reading = await enter(alice)
    await reading.goto(f"/people/{bob.pk}")
    writing = Window(await reading.page.context.new_page())
    await writing.goto("/conversations/new")
    name = writing.page.get_by_label("Name", exact=True)
    await name.fill("Gard")
    await User.objects.filter(pk=bob.pk).aupdate(display_name="Robert")
    await restore(conversation.pk, to=0)
    await expect(reading.page.get_by_role("main").get_by_text("Robert").first).to_be_visible()
    await expect(writing.row("Robert")).to_be_visible()
    await expect(name).to_have_value("Gard")
