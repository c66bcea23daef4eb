"""Who is connected: the staff sees it, ends it and speaks to it, on two servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from asgiref.sync import sync_to_async

from accounts.models import AuditEntry, User
from conversations.models import Conversation
from tests.doors.conftest import Rest
from tests.support.client import Client
from tests.support.server import Server

Device = Callable[..., Awaitable[Client]]
WITHIN_A_SECOND = 1.0


@pytest.fixture
async def device(server: Server, other_server: Server, access: Callable[[User], str]) -> AsyncIterator[Device]:
    """Sign a person in on one more device, on this server or the other."""
    async with AsyncExitStack() as opened:

        async def sign_in(user: User, *, elsewhere: bool = False) -> Client:
            url = (other_server if elsewhere else server).url
            return await opened.enter_async_context(Client(url, access=await sync_to_async(access)(user)))

        yield sign_in


@sync_to_async
def logged() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


async def test_the_staff_counts_who_is_connected_on_all_servers(device: Device, staff, alice, bob) -> None:
    desk, phone, laptop, his = (
        await device(staff),
        await device(alice),
        await device(alice, elsewhere=True),
        await device(bob, elsewhere=True),
    )
    async with phone.socket(), laptop.socket(), his.socket():
        # Sockets of tests before this one may still be on their way out.
        for _ in range(50):
            counted = (await desk.get("/ws/stats")).json()["data"]
            if counted["connected_sockets"] == 3:
                break
            await asyncio.sleep(0.1)
    assert counted["connected_users"] == 2
    assert sorted(each["sockets"] for each in counted["servers"] if each["sockets"]) == [1, 2]
    assert set(await logged()) == {"see_connected"}


async def test_the_staff_sees_who_is_connected_page_by_page(device: Device, staff, alice, bob) -> None:
    desk, phone, laptop, his = (
        await device(staff),
        await device(alice),
        await device(alice, elsewhere=True),
        await device(bob),
    )
    async with phone.socket(), laptop.socket(), his.socket():
        first = (await desk.get("/ws/users", limit=1)).json()
        second = (await desk.get("/ws/users", limit=1, cursor=first["pagination"]["next"])).json()
    assert [page["data"][0]["user"]["username"] for page in (first, second)] == ["alice", "bob"]
    assert len({socket["server"] for socket in first["data"][0]["sockets"]}) == 2
    assert set(first["data"][0]["sockets"][0]) == {"server", "session_id", "since"}
    assert (first["pagination"]["has_more"], second["pagination"]["has_more"]) == (True, False)


async def test_a_kick_closes_the_sockets_on_every_server_within_a_second(device: Device, staff, alice) -> None:
    desk, phone, laptop = await device(staff), await device(alice), await device(alice, elsewhere=True)
    async with phone.socket() as one, laptop.socket() as other:
        began = time.monotonic()
        answer = await desk.request("DELETE", f"/ws/users/{alice.pk}")
        assert (answer.status_code, answer.json()["data"]) == (200, {"success": True})
        assert [await one.closed(), await other.closed()] == [4503, 4503]
        assert time.monotonic() - began < WITHIN_A_SECOND
    async with phone.socket() as again:
        assert (await again.ask("ping"))["type"] == "pong"


async def test_an_announcement_reaches_everyone_who_is_connected(device: Device, staff, alice, mallory) -> None:
    desk, phone, hers = await device(staff), await device(alice), await device(mallory, elsewhere=True)
    async with phone.socket() as one, hers.socket() as other:
        await desk.post("/ws/broadcast", message=" Back at noon ")
        assert await one.next("announcement") == {"text": "Back at noon"}
        assert await other.next("announcement") == {"text": "Back at noon"}


async def test_an_announcement_in_a_conversation_reaches_those_in_it(
    device: Device, staff, alice, bob, mallory, conversation: Conversation
) -> None:
    desk, phone = await device(staff), await device(alice)
    his, hers = await device(bob, elsewhere=True), await device(mallory)
    async with phone.socket() as one, his.socket() as other, hers.socket() as stranger:
        await desk.post(f"/ws/conversations/{conversation.pk}/broadcast", message="Hello, you two")
        for socket in (one, other):
            assert (await socket.next("announcement"))["text"] == "Hello, you two"
        assert await stranger.silence("announcement")


async def test_staff_and_members_see_who_has_a_conversation_open(
    device: Device, staff, alice, bob, conversation: Conversation
) -> None:
    desk, phone, his = await device(staff), await device(alice), await device(bob, elsewhere=True)
    async with his.socket() as socket:
        await socket.send({"type": "conversation.open", "conversation_id": str(conversation.pk)})
        await socket.ask("ping")
        for client in (desk, phone):
            seen = (await client.get(f"/ws/conversations/{conversation.pk}/participants")).json()
            assert [user["username"] for user in seen["data"]] == ["bob"]
    assert await logged() == ["see_present"]


async def test_a_member_does_not_see_someone_who_hides(device: Device, alice, bob, conversation: Conversation) -> None:
    bob.settings = {"last_seen": False}
    await bob.asave()
    phone, his = await device(alice), await device(bob)
    async with his.socket() as socket:
        await socket.send({"type": "conversation.open", "conversation_id": str(conversation.pk)})
        await socket.ask("ping")
        assert (await phone.get(f"/ws/conversations/{conversation.pk}/participants")).json()["data"] == []


@pytest.mark.parametrize("message", ["", "  ", "x" * 1001, "a\0b", 7, None])
def test_nothing_is_announced_that_is_none(rest: Rest, staff, message) -> None:
    answer = rest(staff).post("/ws/broadcast", json={"message": message})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/message")
    assert not AuditEntry.objects.exists()


CALLS = [
    "GET /ws/stats",
    "GET /ws/users",
    "DELETE /ws/users/{bob}",
    "POST /ws/broadcast",
    "POST /ws/conversations/{conversation}/broadcast",
]


@pytest.mark.parametrize("call", CALLS)
def test_whoever_is_not_staff_is_refused(rest: Rest, alice, bob, conversation, call: str) -> None:
    method, path = call.format(bob=bob.pk, conversation=conversation.pk).split()
    answer = rest(alice).request(method, path, json={"message": "Hi"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert rest().request(method, path, json={"message": "Hi"}).status_code == 401
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("call", CALLS[2:3] + CALLS[4:] + ["GET /ws/conversations/{conversation}/participants"])
def test_what_is_not_there_is_not_found(rest: Rest, staff, call: str) -> None:
    method, path = call.format(bob=AuditEntry().pk, conversation=AuditEntry().pk).split()
    assert rest(staff).request(method, path, json={"message": "Hi"}).json()["code"] == "not_found"
