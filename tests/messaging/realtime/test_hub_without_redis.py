"""The hub where Redis is not there: the database is, and that is enough."""

import asyncio
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers

from accounts.models import User
from chatproject.core.channel_layer import ChannelLayer
from conversations.models import Conversation
from tests.messaging.helpers import append_unheard, draft, send_by_socket
from tests.messaging.screen import Screen


@pytest.fixture(autouse=True)
def no_redis(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process look for Redis where nothing is."""
    monkeypatch.setitem(channel_layers.backends, "default", ChannelLayer(hosts=["unix:///nowhere/redis.sock"]))
    return


async def test_people_on_one_server_receive_each_others_messages_at_once(
    alice: User, bob: User, conversation: Conversation
) -> None:
    screen = await asyncio.wait_for(Screen.of(bob), 5)
    began = asyncio.get_running_loop().time()
    await send_by_socket(by_id=alice.pk, conversation_id=conversation.pk, text="Hi")
    await screen.hears("Hi")
    assert asyncio.get_running_loop().time() - began < 2


async def test_messages_of_other_processes_are_found_in_the_database_within_five_seconds(
    alice: User, bob: User, conversation: Conversation
) -> None:
    screen = await Screen.of(bob)
    await sync_to_async(lambda: append_unheard(draft(alice, conversation, "from elsewhere")))()
    await screen.hears("from elsewhere", within=5)
