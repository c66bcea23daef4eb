"""When something goes wrong: the server dies, the line is cut, or the message is not wanted."""

import asyncio
import re
import time
from collections.abc import Iterator
from functools import partial

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Route, WebSocketRoute, expect

from accounts.models import User
from conversations.contacts.commands import block, unblock
from conversations.models import Conversation
from messaging.models import Message
from tests.browser.cable import Cable
from tests.browser.conftest import Enter
from tests.browser.window import Troubles, Window
from tests.messaging.helpers import say
from tests.support.server import Server, running

STOPPED = "This person has stopped the conversation."
LISTS = re.compile(r"/api/v1/conversations\?")
LONGEST_PAUSE = 31_000
"""Milliseconds within which a page tries to come back."""


@pytest.fixture
def mortal(committed: None) -> Iterator[Server]:
    """A server of our own, to be killed."""
    with running() as server:
        yield server


@pytest.mark.long
async def test_a_server_that_dies_loses_nothing_and_doubles_nothing(
    enter: Enter, mortal: Server, alice: User, bob: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("net::ERR_", "WebSocket connection to")
    hers, his = await enter(alice, at=mortal.url), await enter(bob, at=mortal.url)
    for window in (hers, his):
        await window.page.clock.install()
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
    await asyncio.to_thread(mortal.wait)
    for window in (his, hers):
        await window.page.clock.fast_forward(LONGEST_PAUSE)
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


async def test_an_answer_that_never_comes_holds_nothing_up(
    enter: Enter, alice: User, conversation: Conversation
) -> None:
    swallowed = asyncio.Event()

    def lose_the_first_message(line: WebSocketRoute) -> None:
        server = line.connect_to_server()

        def pass_on(frame: str | bytes) -> None:
            if "message.send" in str(frame) and not swallowed.is_set():
                swallowed.set()
            else:
                server.send(frame)

        line.on_message(pass_on)

    hers = await enter(alice)
    await hers.page.route_web_socket("**/ws/chat", lose_the_first_message)
    await hers.page.clock.install()
    await hers.open(conversation)
    await hers.say("Lost on the way", "Behind it")
    await expect(hers.line("Behind it").get_by_title("Sending")).to_be_visible()
    await swallowed.wait()
    await hers.page.clock.fast_forward(16_000)
    await hers.shows("Lost on the way", "Behind it")
    assert await Message.objects.acount() == 2


async def test_a_failure_while_the_line_is_up_is_tried_again(
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


async def test_two_tabs_share_what_is_not_sent_yet(
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


async def test_a_message_that_two_tabs_name_anew_is_not_doubled(
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


async def test_a_catch_up_that_fails_is_tried_until_nothing_is_missing(
    enter: Enter, alice: User, bob: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 503")
    lines: list[WebSocketRoute] = []
    failures = 0
    away = asyncio.Event()

    async def keep(line: WebSocketRoute) -> None:
        if away.is_set():  # Else the message might come live, and nothing would have to be caught up.
            await line.close(code=1012)
        else:
            line.connect_to_server()
            lines.append(line)

    async def fail_twice(route: Route) -> None:
        nonlocal failures
        failures += 1
        await (route.fulfill(status=503, body="Not now") if failures <= 2 else route.continue_())

    hers = await enter(alice)
    await hers.page.route_web_socket("**/ws/chat", keep)
    await hers.page.clock.install()
    await hers.open(conversation)
    await hers.say("Are you there?")
    await hers.shows("Are you there?")
    await hers.page.route(re.compile(f"/api/v1/conversations/{conversation.pk}"), fail_twice)
    away.set()
    await lines[-1].close(code=1012)
    await sync_to_async(say)(bob, conversation, "While you were away")
    away.clear()
    while failures <= 2:
        await hers.page.clock.fast_forward(LONGEST_PAUSE)
        await asyncio.sleep(0.1)
    await hers.shows("Are you there?", "While you were away")


@pytest.mark.long
@pytest.mark.parametrize("is_silent", [False, True], ids=["refused", "unanswered"])
async def test_a_list_that_could_not_be_fetched_is_fetched_again(
    enter: Enter, alice: User, bob: User, conversation: Conversation, troubles: Troubles, is_silent: bool
) -> None:
    troubles.expect("status of 503", "net::ERR_", "WebSocket connection to")
    asked = 0

    async def fail_once(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked > 2:  # What is archived is asked for at the same time.
            await route.continue_()
        elif not is_silent:
            await route.fulfill(status=503, json={"code": "unavailable", "detail": "Not now"})

    hers = await enter(alice)
    cable = await Cable.of(hers.page)
    await hers.page.clock.install()
    async with hers.page.expect_response(LISTS):
        await hers.goto("/")
    await cable.cut()
    await sync_to_async(say)(bob, conversation, "While you were away")
    await hers.page.route(LISTS, fail_once)
    cable.mend()
    async with asyncio.timeout(60):
        while asked < 2:
            await hers.page.clock.fast_forward(LONGEST_PAUSE)
            await asyncio.sleep(0.1)
        # An answer has to begin within ten seconds, and another try comes at most two seconds behind a failure.
        while asked < 4:
            await hers.page.clock.fast_forward(12_000 if is_silent else 2_000)
            await asyncio.sleep(0.1)
    await expect(hers.row("Bob")).to_contain_text("While you were away")


async def test_a_network_that_is_back_shows_at_once_whether_the_connection_stands(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    lines: list[WebSocketRoute] = []
    is_cut = asyncio.Event()

    def connect(line: WebSocketRoute) -> None:
        """Pass everything on until the cable is pulled out, which tells neither side."""
        server, is_first = line.connect_to_server(), not lines
        lines.append(line)

        def pass_on(to: WebSocketRoute, frame: str | bytes) -> None:
            if not (is_first and is_cut.is_set()):
                to.send(frame)

        line.on_message(partial(pass_on, server))
        server.on_message(partial(pass_on, line))

    hers = await enter(alice)
    await hers.page.route_web_socket("**/ws/chat", connect)
    await hers.page.clock.install()
    await hers.open(conversation)
    await hers.say("Are you there?")
    await hers.shows("Are you there?")
    is_cut.set()
    await sync_to_async(say)(bob, conversation, "Into the void")
    await hers.page.evaluate("dispatchEvent(new Event('online'))")
    await hers.page.clock.fast_forward(10_000)
    await hers.page.clock.fast_forward(1_000)
    await hers.shows("Are you there?", "Into the void")
