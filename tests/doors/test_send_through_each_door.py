"""Whatever door a message comes in by, it is on the other person's screen; under uvicorn and under daphne."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.models import Conversation
from messaging.models import Message
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


async def test_a_form_without_its_token_says_nothing(browse: Browse, alice: User, conversation: Conversation) -> None:
    browser = await browse(alice)
    answer = await browser.http.post(f"/conversations/{conversation.pk}", data={"text": "Hi"})
    assert answer.status_code == 403
    assert await Message.objects.acount() == 0


async def test_a_stranger_s_page_is_not_there(browse: Browse, mallory: User, conversation: Conversation) -> None:
    browser = await browse(mallory)
    token = {"csrfmiddlewaretoken": browser.http.cookies["csrftoken"], "text": "Let me in"}
    answer = await browser.http.post(f"/conversations/{conversation.pk}", data=token, headers={"Origin": browser.base})
    assert answer.status_code == 404
    assert await Message.objects.acount() == 0


@pytest.mark.parametrize("id", [str(uuid4()), uuid7().hex, "x", "ffffffff-ffff-7fff-bfff-ffffffffffff"])
async def test_a_form_with_a_name_that_is_none_says_nothing(
    browse: Browse, alice: User, conversation: Conversation, id: str
) -> None:
    answer = await (await browse(alice)).submit(f"/conversations/{conversation.pk}", id=id, text="Hi")
    assert answer.status_code == 400
    assert await Message.objects.acount() == 0


async def test_sending_a_form_twice_says_a_thing_once(browse: Browse, alice: User, conversation: Conversation) -> None:
    browser, path = await browse(alice), f"/conversations/{conversation.pk}"
    id = str(uuid7())
    for _ in range(2):
        assert (await browser.submit(path, id=id, text="Hi\r\nyou")).status_code == 200
    assert (await Message.objects.aget()).pk == UUID(id)
