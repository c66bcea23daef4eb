"""When something goes wrong: the server dies, the line is cut, or the message is not wanted."""

import asyncio
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import expect

from accounts.models import User
from conversations.contacts import block, unblock
from conversations.models import Conversation
from messaging.models import Message
from tests.browser.conftest import Enter
from tests.browser.window import Troubles, Window
from tests.support.server import Server, running

STOPPED = "This person has stopped the conversation."
RETURN = 30_000  # milliseconds: a server starts within seconds, and a page tries again within twice as many


@pytest.fixture
def mortal(committed: None) -> Iterator[Server]:
    """A server of our own, to be killed."""
    with running() as server:
        yield server


async def test_a_server_that_dies_loses_nothing_and_doubles_nothing(
    enter: Enter, mortal: Server, alice: User, bob: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("net::ERR_", "WebSocket connection to")
    hers, his = await enter(alice, at=mortal.url), await enter(bob, at=mortal.url)
    await asyncio.gather(hers.open(conversation), his.open(conversation))
    flood = [f"While it lives {n}" for n in range(12)]
    late = ["While it is dead", "And again"]

    await hers.say(*flood[:6])
    await asyncio.gather(hers.say(*flood[6:]), asyncio.to_thread(mortal.kill))
    await hers.say(*late)
    for text in late:
        await expect(hers.line(text).get_by_title("Sending")).to_be_visible()
    await expect(hers.page.get_by_text("No connection. Trying again…")).to_be_visible()

    await asyncio.to_thread(mortal.start)
    for window in (his, hers):
        await expect(window.lines).to_have_count(len(flood + late), timeout=RETURN)
        await window.shows(*flood, *late)
    await expect(hers.page.get_by_text("No connection")).to_be_hidden()
    assert await Message.objects.acount() == len(flood + late)
    await hers.page.reload()
    await hers.shows(*flood, *late)


async def test_what_is_not_sent_yet_survives_a_closed_tab(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("net::ERR_", "WebSocket connection to")
    hers = await enter(alice)
    context = hers.page.context
    await hers.open(conversation)
    await context.set_offline(True)
    await hers.say("Keep this")
    await expect(hers.line("Keep this").get_by_title("Sending")).to_be_visible()
    await hers.page.close()
    await context.set_offline(False)

    again = Window(await context.new_page())
    await again.open(conversation)
    await again.shows("Keep this")


async def test_a_refused_message_says_why_and_may_be_tried_again(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(block)(by=bob, other=alice)
    hers = await enter(alice)
    await hers.open(conversation)
    await hers.say("Please")
    line = hers.line("Please")
    await expect(line.get_by_title("Not sent")).to_be_visible()
    await expect(line.get_by_role("alert")).to_have_text(STOPPED)

    await hers.page.reload()
    await expect(line.get_by_role("alert")).to_have_text(STOPPED)
    await sync_to_async(unblock)(by=bob, other_id=alice.pk)
    await line.get_by_role("button", name="Try again").click()
    await expect(line.get_by_title("Sent", exact=True)).to_be_visible()
    await expect(line.get_by_role("alert")).to_be_hidden()


async def test_a_refused_message_may_be_discarded_and_holds_nothing_up(
    enter: Enter, alice: User, conversation: Conversation
) -> None:
    hers = await enter(alice)
    await hers.open(conversation)
    await hers.say("x" * 16_001, "Shorter then")
    await expect(hers.lines.get_by_role("alert").filter(visible=True)).to_contain_text("at most 16000 characters")
    await expect(hers.line("Shorter then").get_by_title("Sent", exact=True)).to_be_visible()

    await hers.lines.get_by_role("button", name="Discard").click()
    await hers.shows("Shorter then")
    await hers.page.reload()
    await hers.shows("Shorter then")
