"""With JavaScript off everything still works, but pages must be reloaded."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import expect

from accounts.models import User
from conversations.models import Conversation
from tests.browser.conftest import Enter
from tests.messaging.helpers import fill
from tests.support.browser import PASSWORD


@pytest.fixture
def alice(person) -> User:
    """A person who signs in by the form."""
    return person("alice", PASSWORD, display_name="Alice")


async def test_forms_alone_sign_in_read_and_write(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(java_script_enabled=False), await enter(bob)
    await asyncio.gather(hers.goto("/"), his.open(conversation))
    await his.say("Can you read this?")
    await his.shows("Can you read this?")

    await hers.sign_in("alice")
    await expect(hers.row("Bob").get_by_text("unread")).to_be_visible()
    await hers.row("Bob").get_by_role("link").click()
    await hers.shows("Can you read this?")

    await hers.field.fill("Yes\nindeed")
    await hers.page.get_by_role("button", name="Send").click()
    await hers.shows("Can you read this?", "Yes\nindeed")
    await his.shows("Can you read this?", "Yes\nindeed")
    await expect(hers.row("Bob").get_by_text("unread")).to_be_hidden()


async def test_older_pages_are_links(enter: Enter, alice: User, bob: User, conversation: Conversation) -> None:
    await sync_to_async(fill)(conversation, bob, 120)
    window = await enter(alice, java_script_enabled=False)
    await window.open(conversation)
    await expect(window.line("120")).to_be_in_viewport()

    for first, last in ((21, 70), (1, 20)):
        await window.page.get_by_role("link", name="Older messages").click()
        await window.shows(*map(str, range(first, last + 1)))
    await expect(window.log).to_contain_text("This is the beginning of the conversation.")

    await window.page.get_by_role("link", name="Go to the newest message").click()
    await window.shows(*map(str, range(71, 121)))


async def test_a_button_marks_as_read(enter: Enter, alice: User, bob: User, conversation: Conversation) -> None:
    await sync_to_async(fill)(conversation, bob, 3)
    window = await enter(alice, java_script_enabled=False)
    await window.open(conversation)
    await window.page.get_by_role("button", name="Mark as read").click()
    await window.shows("1", "2", "3")
    await expect(window.row("Bob").get_by_text("unread")).to_be_hidden()
    await expect(window.page.get_by_role("button", name="Mark as read")).to_be_hidden()
