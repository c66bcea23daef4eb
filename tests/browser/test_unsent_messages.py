"""Messages that are not sent yet, or are refused: nothing is lost, duplicated or blocked, in any tab."""

import asyncio
import time

from asgiref.sync import sync_to_async
from playwright.async_api import Route, expect

from accounts.models import User
from conversations.contacts.blocks import block, unblock
from conversations.models import Conversation
from messaging.models import Message
from tests.browser.conftest import Enter
from tests.browser.connection import lose_the_first_message
from tests.browser.window import Troubles, Window

STOPPED = "This person has stopped the conversation."


async def test_an_unsent_message_survives_a_closed_tab(
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


async def test_a_refused_message_shows_its_reason_and_can_be_retried(
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


async def test_a_refused_message_can_be_discarded_and_does_not_block_others(
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


async def test_a_lost_answer_does_not_block_other_messages(
    enter: Enter, alice: User, conversation: Conversation
) -> None:
    hers = await enter(alice)
    swallowed = await lose_the_first_message(hers.page)
    await hers.page.clock.install()
    await hers.open(conversation)
    await hers.say("Lost on the way", "Behind it")
    await expect(hers.line("Behind it").get_by_title("Sending")).to_be_visible()
    await swallowed.wait()
    await hers.page.clock.fast_forward(16_000)
    await hers.shows("Lost on the way", "Behind it")
    assert await Message.objects.acount() == 2


async def test_a_failed_request_while_connected_is_retried(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("net::ERR_", "status of 413", "status of 400")
    tries = 0

    async def fail_once(route: Route) -> None:
        nonlocal tries
        tries += 1
        await (route.abort() if tries == 1 else route.continue_())

    hers = await enter(alice)
    await hers.page.route("**/api/v1/messages", fail_once)
    await hers.open(conversation)
    await hers.say("\N{GRINNING FACE}" * 16_500, "Behind it")
    await expect(hers.lines.get_by_role("alert").filter(visible=True)).to_contain_text("at most 16000 characters")
    await expect(hers.line("Behind it").get_by_title("Sent", exact=True)).to_be_visible()
    assert tries == 2


async def test_two_tabs_share_unsent_messages(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("net::ERR_", "WebSocket connection to")
    one = await enter(alice)
    context = one.page.context
    other = Window(await context.new_page())
    await asyncio.gather(one.open(conversation), other.open(conversation))
    await one.say("x" * 16_001)
    await expect(other.lines.get_by_role("alert").filter(visible=True)).to_contain_text("at most 16000 characters")
    await other.lines.get_by_role("button", name="Discard").click()
    for window in (one, other):
        await expect(window.lines).to_have_count(0)

    await context.set_offline(True)
    await one.say("From one")
    await other.say("From the other")
    for window in (one, other):
        await expect(window.lines).to_have_count(2)
    await context.set_offline(False)
    for window in (one, other):
        await expect(window.lines).to_have_count(2)
        await expect(window.lines.get_by_title("Sending").filter(visible=True)).to_have_count(0)
    assert await Message.objects.acount() == 2


async def test_a_message_that_two_tabs_give_new_ids_is_not_duplicated(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("net::ERR_", "WebSocket connection to")
    one = await enter(alice)
    context = one.page.context
    other = Window(await context.new_page())
    # A clock that is an hour fast before the server's time is known: the id is refused.
    for window in (one, other):
        await window.page.route_web_socket("**/ws/chat", lambda line: line.close(code=1012))
        await window.page.clock.install(time=time.time() + 3600)
    await asyncio.gather(one.open(conversation), other.open(conversation))
    await one.say("Named too early")
    await expect(other.line("Named too early").get_by_title("Sending")).to_be_visible()
    for window in (one, other):
        await window.page.unroute_all()
        await window.page.route_web_socket("**/ws/chat", lambda line: line.connect_to_server() and None)
    for window in (one, other):
        await window.shows("Named too early")
    assert await Message.objects.acount() == 1
