"""Every page, on a phone and on a desktop, light and dark: nothing is wider than the window, no errors."""

import re
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from accounts.models import User
from conversations.creation import create_group
from conversations.models import Conversation
from tests.browser.conftest import Enter
from tests.browser.layout import LONG, fits
from tests.browser.window import Troubles, Window
from tests.messaging.helpers import say

TEXTS = [
    "Short",
    LONG,
    f"https://example.org/{quote(LONG)}?{'q=1&' * 40}",
    "Several\n\nlines\n" * 4,
    "مرحبا، كيف حالك؟ " * 12,
    "👩‍👩‍👧‍👦" * 60,
]


@pytest.fixture
def alice(person) -> User:
    return person("alice", display_name=f"Alice {LONG}"[:80])


@pytest.fixture
def talk(conversation: Conversation, alice: User, bob: User) -> Conversation:
    """A conversation with names and texts that break layouts."""
    for text in TEXTS:
        say(alice, conversation, text)
        say(bob, conversation, text)
    return conversation


@pytest.fixture
def crowd(alice: User, bob: User, carol: User) -> Conversation:
    """A group whose name is too long."""
    group = create_group(by=bob, name=LONG[:100], description=LONG[:300], participants=[alice, carol])
    for each in (alice, carol):
        say(each, group, LONG)
    return group


async def open_live(window: Window, path: str) -> None:
    """Open a page and wait until its script has drawn the inbox."""
    async with window.page.expect_response(re.compile(r"/api/v1/conversations\?")):
        await window.goto(path)


async def test_no_page_is_wider_than_the_window(
    enter: Enter, bob: User, talk: Conversation, crowd: Conversation
) -> None:
    window = await enter(bob)
    for path in ("/", "/conversations/new", f"/conversations/{talk.pk}", f"/conversations/{crowd.pk}"):
        await open_live(window, path)
        await fits(window)
    await window.page.get_by_role("button", name="People").click()
    await expect(window.page.get_by_text("@carol")).to_be_visible()
    await fits(window)
    await window.page.keyboard.press("Escape")
    await window.say("x" * 16_001)
    await expect(window.page.get_by_role("button", name="Discard").filter(visible=True)).to_be_visible()
    await fits(window)


async def test_no_sign_in_page_is_wider_than_the_window(enter: Enter, troubles: Troubles) -> None:
    troubles.expect("status of 404")
    window = await enter()
    for path in ("/accounts/login/", "/accounts/signup/", "/nowhere"):
        await window.goto(path)
        await expect(window.page.get_by_role("heading", level=1)).to_be_visible()
        await fits(window)


async def test_the_dark_theme_is_dark(enter: Enter, mallory: User) -> None:
    window = await enter(mallory, color_scheme="dark")
    await open_live(window, "/")
    await expect(window.inbox).to_have_css("background-color", "rgb(23, 28, 26)")
    await window.page.emulate_media(color_scheme="light")
    await expect(window.inbox).to_have_css("background-color", "rgb(255, 253, 249)")
