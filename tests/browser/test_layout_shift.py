"""The layout does not shift while the page opens and messages arrive, even on a slow processor."""

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import expect

from accounts.models import User
from conversations.models import Conversation
from tests.browser.conftest import Enter
from tests.browser.window import Window
from tests.messaging.helpers import say

MOST = 0.05
WATCH = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.shifted += value;
}).observe({ type: "layout-shift", buffered: true });
"""
COLLECT = """
new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 100))))
  .then(() => [window.shifted, (window.shifted = 0)][0])
"""


@pytest.fixture
def talk(group: Conversation, alice: User, bob: User) -> Conversation:
    """A page full of messages of all lengths."""
    for n in range(30):
        say(bob, group, "Hello there " * (n % 7 + 1))
        say(alice, group, "Yes " * (n % 17 + 1))
    return group


async def shifted(window: Window) -> float:
    """The layout shift since the last call: the sum of all shifts, which is stricter than the worst second."""
    value: float = await window.page.evaluate(COLLECT)
    return value


@pytest.mark.long
@pytest.mark.parametrize("slower", [1, 4])
@pytest.mark.parametrize("width", [360, 1280])
async def test_nothing_shifts_while_the_page_opens_and_messages_arrive(
    enter: Enter, alice: User, bob: User, talk: Conversation, slower: int, width: int
) -> None:
    hers = await enter(alice, viewport={"width": width, "height": 740})
    await hers.page.add_init_script(WATCH)
    session = await hers.page.context.new_cdp_session(hers.page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    await hers.open(talk)
    await expect(hers.row("Garden").get_by_text("unread")).to_be_hidden()
    assert await shifted(hers) < MOST

    for n in range(20):
        await sync_to_async(say)(bob, talk, f"News {n}")
    await expect(hers.line("News 19")).to_be_in_viewport()
    assert await shifted(hers) < MOST


async def test_space_for_the_composer_is_reserved_before_it_is_drawn(
    enter: Enter, alice: User, talk: Conversation
) -> None:
    hers = await enter(alice, viewport={"width": 360, "height": 740})
    await hers.open(talk)
    before = await hers.log.bounding_box()
    await hers.page.evaluate("document.querySelector('#composer').remove()")
    assert await hers.log.bounding_box() == before
