"""Whatever door a message comes in by, it is on the other person's screen; under uvicorn and under daphne."""

from collections.abc import Awaitable, Callable

import pytest
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.models import Conversation
from tests.doors.conftest import Browse
from tests.support.client import Client

App = Callable[[User], Awaitable[Client]]
Say = Callable[[User, Conversation, str], Awaitable[None]]


@pytest.fixture(params=["socket", "rest", "page"])
def say(request: pytest.FixtureRequest, app: App, browse: Browse) -> Say:
    """Say something through one of the doors."""

    async def by_socket(speaker: User, conversation: Conversation, text: str) -> None:
        async with (await app(speaker)).socket() as socket:
            await socket.say(str(conversation.pk), text)

    async def by_rest(speaker: User, conversation: Conversation, text: str) -> None:
        async with await app(speaker) as client:
            said = await client.post("/messages", id=str(uuid7()), conversation_id=str(conversation.pk), text=text)
            assert said.status_code == 201

    async def by_page(speaker: User, conversation: Conversation, text: str) -> None:
        page = await (await browse(speaker)).submit(f"/conversations/{conversation.pk}", text=text)
        assert text in page.text

    return {"socket": by_socket, "rest": by_rest, "page": by_page}[request.param]


@pytest.mark.parametrize("_server", ["uvicorn", "daphne"], indirect=True)
async def test_every_door_leads_to_bobs_screen(
    say: Say, app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    async with (await app(bob)).socket() as screen:
        await say(alice, conversation, "Hi")
        heard = await screen.next("message.created")
    assert heard["message"]["text"] == "Hi"
    assert heard["message"]["sender_id"] == str(alice.pk)
    assert heard["version"] == heard["message"]["position"] == 1
