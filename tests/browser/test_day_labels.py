"""Day labels stay right when a day ends while the page is open."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.async_api import expect

from accounts.models import User
from conversations.models import Conversation
from messaging.messages.json import MessageJSON
from tests.browser.conftest import Enter
from tests.messaging.helpers import say


@pytest.fixture
def said(bob: User, conversation: Conversation) -> MessageJSON:
    return say(bob, conversation, "Hi")


async def test_today_becomes_yesterday_at_midnight(
    enter: Enter, alice: User, conversation: Conversation, said: MessageJSON
) -> None:
    hers = await enter(alice)
    await hers.page.clock.install()
    await hers.open(conversation)
    day, near = hers.line("Hi").locator("[data-time=day]"), hers.row("Bob").locator("time")
    await expect(day).to_have_text("Today")
    clock = await near.inner_text()
    await hers.page.clock.fast_forward("24:00:00")
    await expect(day).to_have_text("Yesterday")
    await expect(near).not_to_have_text(clock)


@pytest.mark.long
@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
async def test_days_are_right_after_sleep_in_the_local_time_zone(
    enter: Enter, alice: User, conversation: Conversation, said: MessageJSON, zone: str
) -> None:
    hers = await enter(alice, timezone_id=zone)
    await hers.page.clock.install()
    await hers.open(conversation)
    day = hers.line("Hi").locator("[data-time=day]")
    await expect(day).to_have_text("Today")
    # The time has gone on, and no timer has run.
    await hers.page.clock.set_system_time(timezone.now() + timedelta(days=1))
    await hers.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(day).to_have_text("Yesterday")
