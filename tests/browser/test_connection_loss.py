"""The connection is lost or the server is killed: the page reconnects and catches up."""

import asyncio
import re
from collections.abc import Iterator
from functools import partial

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Route, WebSocketRoute, expect

from accounts.models import User
from conversations.models import Conversation
from messaging.models import Message
from tests.browser.conftest import Enter
from tests.browser.connection import Connection
from tests.browser.window import Troubles
from tests.messaging.helpers import say
from tests.support.server import Server, running

LISTS = re.compile(r"/api/v1/conversations\?")
LONGEST_PAUSE = 31_000
"""Milliseconds within which a page tries to reconnect."""


@pytest.fixture
def mortal(committed: None) -> Iterator[Server]:
    """A server of the test's own, to be killed."""
    with running() as server:
        yield server


@pytest.mark.long
async def test_a_killed_server_loses_and_duplicates_nothing(
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


async def test_a_failed_catch_up_is_retried_until_nothing_is_missing(
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
async def test_a_failed_fetch_of_the_inbox_is_retried(
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
    connection = await Connection.of(hers.page)
    await hers.page.clock.install()
    async with hers.page.expect_response(LISTS):
        await hers.goto("/")
    await connection.cut()
    await sync_to_async(say)(bob, conversation, "While you were away")
    await hers.page.route(LISTS, fail_once)
    connection.restore()
    async with asyncio.timeout(60):
        while asked < 2:
            await hers.page.clock.fast_forward(LONGEST_PAUSE)
            await asyncio.sleep(0.1)
        # An answer has to begin within ten seconds, and another try comes at most two seconds behind a failure.
        while asked < 4:
            await hers.page.clock.fast_forward(12_000 if is_silent else 2_000)
            await asyncio.sleep(0.1)
    await expect(hers.row("Bob")).to_contain_text("While you were away")


async def test_when_the_network_is_back_the_connection_is_checked_at_once(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    lines: list[WebSocketRoute] = []
    is_cut = asyncio.Event()

    def connect(line: WebSocketRoute) -> None:
        """Relay everything until the connection is cut, which neither side notices."""
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
