"""For a reader who has scrolled up, no change above or below moves the messages in view."""

import asyncio
import re
from collections.abc import Callable
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Route, expect

from accounts.models import User
from conversations.models import Conversation
from messaging.messages.edit import delete_message, edit_message
from messaging.messages.json import MessageJSON
from messaging.messages.reactions import add_reaction
from tests.browser.conftest import Enter
from tests.browser.window import Window
from tests.messaging.helpers import fill, say

pytestmark = pytest.mark.long

MOST = 2
"""The number of pixels by which the view may move."""
FIRST_IN_VIEW = """
() => {
  const { top } = document.querySelector("[data-scroller]").getBoundingClientRect();
  const lines = [...document.querySelectorAll("[data-timeline] > li")];
  const line = lines.find((each) => each.getBoundingClientRect().bottom > top);
  return [line.id, line.getBoundingClientRect().top - top];
}
"""
UP = "document.querySelector('[data-scroller]').scrollTop -= 600"
SETTLED = "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
Act = Callable[[User, UUID], object]


@pytest.fixture
def said(conversation: Conversation, bob: User) -> list[MessageJSON]:
    """Bob has sent forty messages, the longest of which has three lines."""
    return [say(bob, conversation, f"{n}\n" * (n % 3 + 1)) for n in range(40)]


async def look(window: Window) -> tuple[str, float]:
    """The first message in view, and its distance from the top of the view."""
    await window.page.evaluate(SETTLED)
    id, top = await window.page.evaluate(FIRST_IN_VIEW)
    return id, top


async def scroll_up(window: Window, by: str = UP) -> tuple[str, float]:
    await window.page.evaluate(by)
    return await look(window)


async def stays(window: Window, before: tuple[str, float]) -> None:
    id, top = await look(window)
    assert id == before[0]
    assert top == pytest.approx(before[1], abs=MOST)


def react(bob: User, id: UUID) -> object:
    return add_reaction(by=bob, message_id=id, emoji="👍")


def grow(bob: User, id: UUID) -> object:
    return edit_message(by=bob, message_id=id, text="and more\n" * 15)


def delete(bob: User, id: UUID) -> object:
    return delete_message(by=bob, message_id=id)


async def wait_for(window: Window, act: Act, id: UUID) -> None:
    """Wait until the page shows the change of a message."""
    line = window.page.locator(f"#m-{id}")
    if act is react:
        await expect(line.get_by_role("button", name="👍")).to_be_attached()
    else:
        await expect(line).to_contain_text("and more" if act is grow else "This message was deleted.")


@pytest.mark.parametrize("anchoring", ["none", "auto"])
@pytest.mark.parametrize("at", [3, 37], ids=["above", "below"])
@pytest.mark.parametrize("act", [react, grow, delete])
async def test_changes_out_of_view_do_not_move_the_view(
    enter: Enter,
    alice: User,
    bob: User,
    conversation: Conversation,
    said: list[MessageJSON],
    act: Act,
    at: int,
    anchoring: str,
) -> None:
    hers = await enter(alice, viewport={"width": 360, "height": 740})
    await hers.open(conversation)
    await expect(hers.row("Bob").get_by_text("unread")).to_be_hidden()
    await hers.page.evaluate(f"document.querySelector('[data-scroller]').style.overflowAnchor = '{anchoring}'")
    before = await scroll_up(hers)
    id = UUID(said[at]["id"])
    await sync_to_async(act)(bob, id)
    await wait_for(hers, act, id)
    await stays(hers, before)


async def test_twenty_edits_do_not_move_the_view(
    enter: Enter, alice: User, bob: User, conversation: Conversation, said: list[MessageJSON]
) -> None:
    hers = await enter(alice, viewport={"width": 360, "height": 740}, device_scale_factor=1.5)
    await hers.open(conversation)
    before = await scroll_up(hers)
    for n in range(20):
        await sync_to_async(edit_message)(by=bob, message_id=UUID(said[n % 5]["id"]), text="and\n" * n + f"edit {n}")
        await expect(hers.line("and\n" * n + f"edit {n}")).to_be_attached()
    await stays(hers, before)


@pytest.mark.parametrize(
    "change",
    [
        "document.querySelector('#m-ID [data-bubble]').style.minHeight = '300px'",
        "document.querySelector('[data-scroller]').style.fontSize = '18px'",
        "document.querySelector('#m-ID').classList.toggle('line--day')",
        "document.querySelector('#m-ID').remove()",
    ],
    ids=["a picture", "a font", "a day", "a line that goes"],
)
async def test_a_change_of_size_does_not_move_the_view(
    enter: Enter, alice: User, conversation: Conversation, said: list[MessageJSON], change: str
) -> None:
    hers = await enter(alice, viewport={"width": 360, "height": 740})
    await hers.open(conversation)
    before = await scroll_up(hers)
    await hers.page.evaluate(change.replace("ID", said[4]["id"]))
    await stays(hers, before)


async def test_newer_and_older_messages_do_not_move_the_view(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    """The day label above the first message moves to the first of the older ones; the bubble stays."""
    await sync_to_async(fill)(conversation, bob, 120)
    arrival = asyncio.Event()

    async def come_late(route: Route) -> None:
        await arrival.wait()
        await route.continue_()

    hers = await enter(alice, viewport={"width": 360, "height": 740})
    await hers.page.route(re.compile(r"/messages/conversation/.*before="), come_late)
    await hers.open(conversation)
    await hers.page.evaluate("document.querySelector('[data-scroller]').scrollTop = -1e6")
    await hers.page.evaluate(SETTLED)
    bubble = hers.line("71").locator("[data-bubble]")
    before = await hers.top_of(bubble)
    arrival.set()
    await expect(hers.lines).to_have_count(100)
    await sync_to_async(say)(bob, conversation, "News\n" * 5)
    await expect(hers.lines).to_have_count(101)
    assert await hers.top_of(bubble) == pytest.approx(before, abs=MOST)


@pytest.mark.parametrize("by", [0, 30], ids=["at the end", "a little above it"])
async def test_a_reader_at_the_end_stays_at_the_end(
    enter: Enter, alice: User, bob: User, conversation: Conversation, said: list[MessageJSON], by: int
) -> None:
    hers = await enter(alice, viewport={"width": 360, "height": 740})
    await hers.open(conversation)
    await scroll_up(hers, f"document.querySelector('[data-scroller]').scrollTop = -{by}")
    await sync_to_async(edit_message)(by=bob, message_id=UUID(said[-1]["id"]), text="and more\n" * 15)
    await expect(hers.lines.last).to_contain_text("and more")
    await hers.page.evaluate("document.querySelector('[data-composer] textarea').value = '\\n\\n\\n\\n'")
    await sync_to_async(say)(bob, conversation, "News")
    await expect(hers.line("News")).to_be_in_viewport(ratio=1)
    await expect(hers.newest).to_be_hidden()
