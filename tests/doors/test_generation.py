"""A restore from a backup while people talk: what devices, cursors and pages make of the new generation."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
import yaml
from asgiref.sync import sync_to_async

from accounts.models import User
from chatproject.core.generation import current_generation
from chatproject.core.pagination import write_cursor
from chatproject.server.close_codes import CloseCode
from conversations.models import Conversation
from tests.doors.conftest import Browse, Rest
from tests.doors.phones import LONG, Open, end, texts, tokens
from tests.messaging.helpers import say
from tests.support.app import App
from tests.support.client import Client
from tests.support.patience import until
from tests.support.server import ROOT, Server

Restored = Callable[..., tuple[int, int]]
NOBODY, LONG_AGO, NOON = str(UUID(int=0)), "2026-01-31T12:00:00+00:00", "2100-01-31T12:00:00+00:00"


# Devices

ENDS = count()


async def talk(app: App, conversation: Conversation, name: str, *, until: asyncio.Event) -> None:
    """Say one thing after the other, until told to stop."""
    while not until.is_set():
        await app.say(str(conversation.pk), f"{name} {next(ENDS)}")
        await asyncio.sleep(0.02)


@pytest.mark.long
async def test_devices_on_two_processes_end_with_what_the_database_says(
    phone: Open, other_server: Server, restored: Restored, alice: User, bob: User, conversation: Conversation
) -> None:
    devices = [await phone(alice), await phone(alice, other_server), await phone(bob), await phone(bob, other_server)]
    is_over = asyncio.Event()
    talks = [asyncio.create_task(talk(app, conversation, f"{n}", until=is_over)) for n, app in enumerate(devices)]
    assert await until(lambda: len(texts(devices[0], conversation)) > 20, within=LONG)
    had, generation = await sync_to_async(restored)(conversation.pk, to=5)
    assert await until(lambda: all(app.generation == generation for app in devices), within=LONG)
    # They talk on until versions have come again that had been seen.
    assert await until(lambda: len(texts(devices[0], conversation)) > had, within=LONG)
    is_over.set()
    await asyncio.gather(*talks)
    assert await until(lambda: not any(app.outbox for app in devices), within=LONG)
    fresh = await phone(bob)
    truth = texts(fresh, conversation)
    assert fresh.conversations[str(conversation.pk)].version > had > 5
    assert len(truth) == len(set(truth)) == fresh.conversations[str(conversation.pk)].version
    assert await until(lambda: all(texts(app, conversation) == truth for app in devices), within=LONG)


async def test_a_device_that_was_away_during_the_restore_begins_anew_and_sends_what_it_had_not_sent(
    server: Server, restored: Restored, alice: User, bob: User, conversation: Conversation
) -> None:
    async with App(server.url, await tokens(alice)) as mine:
        life = asyncio.create_task(mine.live())
        for number in range(6):
            await mine.say(str(conversation.pk), f"before {number}")
        assert await until(lambda: len(texts(mine, conversation)) == 6, within=LONG)
        await end(life)
        await mine.say(str(conversation.pk), "not sent yet")
        await sync_to_async(restored)(conversation.pk, to=2)
        for number in range(3):
            await sync_to_async(say)(bob, conversation, f"after {number}")
        life = asyncio.create_task(mine.live())
        truth = ["before 0", "before 1", "after 0", "after 1", "after 2", "not sent yet"]
        assert await until(lambda: texts(mine, conversation) == truth, within=LONG), texts(mine, conversation)
        assert await until(lambda: not mine.outbox, within=LONG)
        await end(life)


async def test_sockets_are_closed_to_come_back_and_are_told_the_new_generation(
    server: Server,
    other_server: Server,
    restored: Restored,
    alice: User,
    conversation: Conversation,
    access: Callable[[User], str],
) -> None:
    token = await sync_to_async(access)(alice)
    async with Client(server.url, access=token) as here, Client(other_server.url, access=token) as there:
        path = f"/conversations/{conversation.pk}"
        etag = (await here.get(path)).headers["ETag"]
        assert (await here.request("GET", path, headers={"If-None-Match": etag})).status_code == 304
        async with here.socket() as one, there.socket() as other:
            _, generation = await sync_to_async(restored)(conversation.pk, to=0)
            assert await asyncio.gather(one.closed(), other.closed()) == [CloseCode.RESTART] * 2
        for client in (here, there):
            async with client.bare_socket(headers=client.headers) as socket:
                assert (await socket.next("connected"))["generation"] == generation
            assert (await client.get("/server")).json()["data"]["generation"] == generation
        assert (await here.request("GET", path, headers={"If-None-Match": etag})).status_code == 200


# Cursors

LISTS: dict[str, tuple[str, Any]] = {
    "/users?search=bo": ("people", "a"),
    "/users/blocked": ("blocks", 10**9),
    "/contacts": ("contacts", "a"),
    "/contacts/invitations": ("invitations", 10**9),
    "/conversations": ("inbox", [False, NOON, NOBODY]),
    "/conversations/{id}/participants": ("members", 0),
    "/conversations/{id}/invite-links": ("links", "ffffffff-ffff-7fff-bfff-ffffffffffff"),
    "/sync": ("sync {alice}", [None, NOON, NOBODY]),
    "/reports": ("reports", "ffffffff-ffff-7fff-bfff-ffffffffffff"),
    "/ws/users": ("connected", ""),
}
"""Every list that has cursors: the salt of its own, and a position in it."""


def test_the_table_of_lists_is_complete() -> None:
    paths = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())["paths"]
    with_cursor = {
        path.removeprefix("/api/v1")
        for path, methods in paths.items()
        for about in methods.values()
        if any(each["name"] == "cursor" for each in about.get("parameters", ()))
    }
    assert {path.partition("?")[0] for path in LISTS} == with_cursor


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_of_another_generation_is_gone(path: str, rest: Rest, alice: User, group: Conversation) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    client, (salt, position) = rest(alice), LISTS[path]
    known = current_generation()

    def ask(generation: int) -> httpx.Response:
        cursor = write_cursor(position, salt=salt.format(alice=alice.pk), generation=generation)
        return client.get(path.format(id=group.pk), params={**httpx.URL(path).params, "cursor": cursor})

    assert ask(known).status_code == 200, ask(known).text
    for other in (known + 1, known + 10**9):
        answer = ask(other)
        assert (answer.status_code, answer.json()["code"]) == (410, "gone")
        assert answer.json()["errors"][0]["pointer"] == "/cursor"


PAGES = {
    "/": "inbox",
    "/archived": "inbox",
    "/contacts": "contacts",
    "/settings/blocked": "blocks",
    "/settings/reports": "reports",
    "/messages/{message}/forward": "inbox",
    "/admin/connected/": "connected",
}


@pytest.mark.parametrize("path", PAGES)
async def test_a_link_to_a_later_page_leads_to_the_first_one_after_a_restore(
    path: str, browse: Browse, alice: User, conversation: Conversation
) -> None:
    await User.objects.filter(pk=alice.pk).aupdate(is_staff=True)
    address = path.format(message=(await sync_to_async(say)(alice, conversation))["id"])
    browser = await browse(alice)
    old = await sync_to_async(write_cursor)("any", salt=PAGES[path], generation=10**12)
    answer = await browser.http.get(f"{address}?q=x&cursor={old}", follow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["Location"] in {f"{address}?q=x", address}
