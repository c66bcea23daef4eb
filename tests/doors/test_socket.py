"""The socket as a door, on a real server."""

from collections.abc import Awaitable, Callable

from accounts.models import User
from conversations.models import Conversation
from tests.support.client import Client


async def test_what_alice_says_is_on_bobs_screen(
    app: Callable[[User], Awaitable[Client]], alice: User, bob: User, conversation: Conversation
) -> None:
    async with (await app(alice)).socket() as speaker, (await app(bob)).socket() as screen:
        said = await speaker.say(str(conversation.pk), "Hi")
        assert (await screen.next("message.created"))["message"] == said
