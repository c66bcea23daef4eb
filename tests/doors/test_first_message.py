"""A direct conversation that begins with a message: everyone concerned hears of it first, and of the message then."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from accounts.staff.service_account import service_account
from chatproject.core.ids import uuid7
from conversations.creation import start_direct
from messaging.messages.send import send_direct
from tests.support.client import Client, Socket
from tests.support.server import Server

Access = Callable[[User], str]


async def by_socket(client: Client, socket: Socket, to: User) -> Any:
    return (await socket.ask("message.send", to={"id": str(to.pk)}, text="Hi", id=str(uuid7())))["data"]


async def by_rest(client: Client, socket: Socket, to: User) -> Any:
    answer = await client.post("/messages", receiver_id=str(to.pk), text="Hi", id=str(uuid7()))
    assert answer.status_code == 201
    return answer.json()["data"]


async def hears_both(socket: Socket, message: dict[str, Any], *, name: str, unread: int = 0) -> None:
    """Wait for the two events, in this order, and see that nothing of the message is in the first one."""
    opened = await socket.next_frame("conversation.created")
    said = await socket.next_frame("message.created")
    data = opened["data"]
    assert (data["id"], data["name"], data["kind"]) == (message["conversation_id"], name, "direct")
    assert (data["last_message"], data["last_position"], data["version"]) == (None, 0, said["data"]["version"] - 1)
    assert (data["me"]["unread_count"], data["me"]["mention_count"]) == (0, 0)
    assert said["data"]["message"] == message
    assert not [frame for frame in socket.seen() if frame["type"] != "ack"]


@pytest.mark.parametrize("send", [by_socket, by_rest])
@pytest.mark.parametrize("_server", ["uvicorn", "daphne"], indirect=True)
async def test_every_device_of_both_people_hears_two_events_on_every_server(
    send: Callable[..., Awaitable[Any]], server: Server, other_server: Server, access: Access, alice: User, bob: User
) -> None:
    hers, his = [await sync_to_async(access)(user) for user in (alice, bob)]
    async with (
        Client(server.url, access=hers) as app,
        Client(other_server.url, access=hers) as laptop,
        Client(server.url, access=his) as phone,
        Client(other_server.url, access=his) as tablet,
        app.socket() as speaker,
        laptop.socket() as other,
        phone.socket() as near,
        tablet.socket() as far,
    ):
        message = await send(app, speaker, bob)
        for socket, name in ((speaker, "Bob"), (other, "Bob"), (near, "Alice"), (far, "Alice")):
            await hears_both(socket, message, name=name)


async def test_the_events_behind_the_first_message_go_on_from_it(
    server: Server, access: Access, alice: User, bob: User
) -> None:
    hers, his = [await sync_to_async(access)(user) for user in (alice, bob)]
    async with (
        Client(server.url, access=hers) as app,
        Client(server.url, access=his) as phone,
        app.socket() as speaker,
        phone.socket() as screen,
    ):
        for n in range(20):
            await speaker.send({"type": "message.send", "to": {"id": str(bob.pk)}, "text": str(n)})
        opened = await screen.next("conversation.created")
        heard = [await screen.next("message.created") for _ in range(20)]
    assert [opened["version"], *(each["version"] for each in heard)] == [*range(21)]
    assert [each["message"]["text"] for each in heard] == [*map(str, range(20))]


async def test_a_device_that_catches_up_meanwhile_hears_both_as_well(
    server: Server, access: Access, alice: User, bob: User
) -> None:
    his = await sync_to_async(access)(bob)
    async with Client(server.url, access=his) as phone, phone.socket(query="?catch_up=1") as screen:
        await screen.next("caught_up")
        said = await sync_to_async(send_direct)(by=alice, to=bob, text="Hi")
        await hears_both(screen, said.message, name="Alice")


async def test_what_sync_shows_of_it_is_the_conversation_as_it_is(
    server: Server, access: Access, alice: User, bob: User
) -> None:
    said = await sync_to_async(send_direct)(by=alice, to=bob, text="Hi")
    async with Client(server.url, access=await sync_to_async(access)(bob)) as phone:
        (shown,) = (await phone.get("/sync")).json()["data"]["conversations"]
        changes = (await phone.get(f"/conversations/{shown['id']}/changes", after=0)).json()["data"]
    assert (shown["version"], shown["last_message"]) == (1, said.message)
    assert changes["messages"] == [said.message]


async def test_the_account_that_speaks_for_the_place_is_heard_in_the_same_way(
    server: Server, access: Access, alice: User
) -> None:
    token = await sync_to_async(access)(alice)
    async with Client(server.url, access=token) as app, app.socket() as socket:
        said = await sync_to_async(lambda: send_direct(by=service_account(), to=alice, text="Welcome"))()
        await hears_both(socket, said.message, name="Parley")


async def test_an_empty_direct_conversation_is_heard_of_once(
    server: Server, access: Access, alice: User, bob: User
) -> None:
    token = await sync_to_async(access)(bob)
    async with Client(server.url, access=token) as app, app.socket() as socket:
        await sync_to_async(start_direct)(by=alice, to=bob)
        assert (await socket.next("conversation.created"))["version"] == 0
        assert await socket.silence("message.created")
