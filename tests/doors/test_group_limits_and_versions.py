"""The contract on groups, where only its letter tells: lists with a limit, and versions that go on without a gap."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.groups import add_members
from conversations.invite_links import make_link
from conversations.models import Conversation
from messaging.messages.send import send_message
from tests.doors.conftest import Rest
from tests.doors.problems import assert_problem, pointers
from tests.support.client import Client

App = Callable[[User], Awaitable[Client]]


def test_the_links_of_a_group_come_in_pages_the_latest_first(rest: Rest, group: Conversation, alice: User) -> None:
    made = [str(make_link(by=alice, conversation_id=group.pk)[0].pk) for _ in range(3)]
    client, path = rest(alice), f"/conversations/{group.pk}/invite-links"
    first = client.get(path, params={"limit": 2}).json()
    assert [link["id"] for link in first["data"]] == [made[2], made[1]]
    assert first["pagination"] == {"next": first["pagination"]["next"], "previous": None, "has_more": True}
    rest_of_it = client.get(path, params={"limit": 2, "cursor": first["pagination"]["next"]}).json()
    assert [link["id"] for link in rest_of_it["data"]] == [made[0]]
    assert rest_of_it["pagination"] == {"next": None, "previous": None, "has_more": False}
    assert pointers(assert_problem(client.get(path, params={"cursor": "mine"}), 400, "invalid")) == ["/cursor"]


async def test_the_versions_that_a_newcomer_hears_go_on_from_the_conversation_as_shown(
    app: App, group: Conversation, alice: User, mallory: User
) -> None:
    hers, newcomers = await app(alice), await app(mallory)
    async with hers.socket(), newcomers.socket() as socket:
        await sync_to_async(add_members)(by=alice, conversation_id=group.pk, users=[mallory])
        known: int = (await socket.next("conversation.created"))["version"]
        said: dict[str, Any] = (
            await sync_to_async(send_message)(by=alice, conversation_id=group.pk, text="Hi")
        ).message
        while known < said["version"]:
            frame = await socket.next_frame("message.created")
            assert frame["data"]["version"] == known + 1
            known += 1
        assert await socket.silence("conversation.updated")
