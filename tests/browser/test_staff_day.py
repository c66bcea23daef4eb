"""A day of the staff, step by step: reports are handled, a person is warned, then suspended; people see it happen."""

from collections.abc import Awaitable, Callable

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Page, expect

from accounts.models import AuditEntry, User
from conversations.models import Conversation
from tests.browser.conftest import Enter
from tests.browser.window import Troubles, Window
from tests.messaging.helpers import say

Step = Callable[["Day"], Awaitable[None]]


class Day:
    """Three windows: alice reports, bob sends spam, and the third one is the staff's."""

    def __init__(self, hers: Window, his: Window, desk: Window, conversation: Conversation, troubles: Troubles) -> None:
        self.hers, self.his, self.desk = hers, his, desk
        self.conversation, self.troubles = conversation, troubles

    @property
    def room(self) -> Page:
        return self.desk.page

    async def report(self, text: str, comment: str) -> None:
        page = self.hers.page
        await self.hers.open(self.conversation)
        await self.hers.menu(text, "Report")
        await page.get_by_label("Spam or fraud").check()
        await page.get_by_label("Anything else that helps to understand it").fill(comment)
        await page.get_by_role("button", name="Report").click()
        await expect(page.get_by_text("Waiting").first).to_be_visible()

    async def take_the_first_report(self) -> None:
        await self.room.get_by_role("link", name="Reports", exact=True).first.click()
        await self.room.get_by_role("row").nth(1).get_by_role("link").first.click()

    async def act(self, name: str, words: str = "", *, label: str = "Your words to the person") -> None:
        """Choose a staff action on the page and fill in its form."""
        await self.room.get_by_role("link", name=name, exact=True).click()
        if words:
            await self.room.get_by_label(label).fill(words)
        await self.room.get_by_role("button", name=name, exact=True).click()


async def two_messages_are_reported(day: Day) -> None:
    await day.report("Buy my watches", "He does this all day")
    await day.report("Really cheap", "Again")


async def the_first_is_read_and_its_message_deleted(day: Day) -> None:
    await day.desk.goto("/admin/")
    await day.take_the_first_report()
    await expect(day.room.get_by_text("Buy my watches")).to_be_visible()
    await expect(day.room.get_by_text("He does this all day")).to_be_visible()
    await expect(day.room.get_by_text("Really cheap")).to_have_count(0)
    await day.act("Delete the message", "Against the rules", label="A note for the audit log")
    await expect(day.his.page.get_by_text("Buy my watches")).to_have_count(0)


async def for_the_second_the_person_is_warned(day: Day) -> None:
    await day.take_the_first_report()
    await day.act("Warn the person", "No selling here, please")
    await expect(day.his.row("Parley")).to_contain_text("No selling here, please")


async def the_reporter_hears_what_came_of_it(day: Day) -> None:
    await expect(day.hers.page.get_by_text("Waiting")).to_have_count(2)
    await day.hers.goto("/settings/reports")
    for outcome in ("The message was deleted", "The person was warned"):
        await expect(day.hers.page.get_by_text(outcome)).to_be_visible()


async def something_is_announced(day: Day) -> None:
    await day.hers.open(day.conversation)
    await expect(day.hers.field).to_be_visible()
    await day.room.get_by_role("link", name="Announce", exact=True).click()
    await day.room.get_by_label("Text").fill("We restart at noon")
    await day.room.get_by_role("button", name="Announce").click()
    await expect(day.his.page.get_by_text("We restart at noon")).to_be_visible()
    await day.his.page.get_by_role("button", name="Close", exact=True).click()
    await expect(day.his.page.get_by_text("We restart at noon")).to_be_hidden()


async def someone_who_is_connected_is_suspended(day: Day) -> None:
    await day.room.get_by_role("link", name="Connected").click()
    await day.room.get_by_role("link", name="Bob").click()
    await day.act("Suspend", "Selling after a warning", label="Reason")
    await expect(day.his.page.get_by_text("This account is suspended.")).to_be_visible()
    day.troubles.expect("status of 403")
    await day.his.page.reload()
    await expect(day.his.page.get_by_text("Selling after a warning")).to_be_visible()


async def the_suspension_is_lifted(day: Day) -> None:
    await day.act("Lift the suspension")
    await day.his.open(day.conversation)
    await day.his.say("I am sorry")
    await expect(day.hers.line("I am sorry")).to_be_visible()


async def the_glass_is_broken_and_the_log_knows(day: Day) -> None:
    await day.desk.goto(f"/admin/conversations/conversation/{day.conversation.pk}/change/")
    await day.act("Break the glass: read the messages", "A complaint by mail", label="Reason")
    await expect(day.room.get_by_text("I am sorry")).to_be_visible()
    await day.desk.goto("/admin/accounts/auditentry/")
    await expect(day.room.get_by_text("A complaint by mail")).to_be_visible()


STEPS: list[Step] = [
    two_messages_are_reported,
    the_first_is_read_and_its_message_deleted,
    for_the_second_the_person_is_warned,
    the_reporter_hears_what_came_of_it,
    something_is_announced,
    someone_who_is_connected_is_suspended,
    the_suspension_is_lifted,
    the_glass_is_broken_and_the_log_knows,
]
LOGGED = [
    *("see_overview", "resolve_report", "delete_message", "resolve_report", "warn", "announce"),
    *("see_connected", "suspend", "reinstate", "read_conversation"),
]


@pytest.mark.long
async def test_a_day_of_the_staff(
    enter: Enter, staff: User, alice: User, bob: User, conversation: Conversation, troubles: Troubles
) -> None:
    for text in ("Buy my watches", "Really cheap"):
        await sync_to_async(say)(bob, conversation, text)
    day = Day(await enter(alice), await enter(bob), await enter(staff), conversation, troubles)
    await day.his.open(conversation)
    for step in STEPS:
        await step(day)
    assert [entry.action async for entry in AuditEntry.objects.order_by("id")] == LOGGED
