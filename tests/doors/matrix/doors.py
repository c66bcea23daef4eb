"""The three doors: what someone tries there, and what comes of it in one word."""

import asyncio
import json
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from html import unescape
from typing import Any, Protocol

from django.conf import settings
from django.contrib.messages import get_messages
from django.db.models import F
from django.test import Client as Browser
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.models import Participant
from tests.doors.matrix.ways import Way
from tests.doors.matrix.world import NOBODY, Words, World, filled
from tests.support.client import Client, Socket

MARKS = {"delivered": "delivered_through", "read": "read_through"}
"""Frames that move something after a moment, and what."""
SILENT = {*MARKS, "typing", "conversation.open", "conversation.close"}
"""Frames that are answered only when something was wrong."""
LAST = "conversation__last_position"
WORDS = {"not_authenticated": "sign_in"}
browser = Browser()
"""One for everybody: what stands around the views is built anew for each."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door answered: the word for it, all that it says, why not, and what is alike wherever there is nothing."""

    word: str
    said: str
    reason: str = ""
    mould: Any = None


class Door(Protocol):
    """Tries something for someone; the words in braces stand for what is there, or for what is not."""

    def __call__(self, world: World, role: str, way: Way, words: Words) -> Answer: ...


def by_call(world: World, role: str, way: Way, words: Words) -> Answer:
    method, _, path = filled(way.call, words).partition(" ")
    known = {} if role == NOBODY else {"Authorization": f"Bearer {world.tokens[role]}"}
    body = "" if way.body is None else json.dumps(filled(way.body, words))
    browser.cookies.clear()
    answer = browser.generic(method, f"/api/v1/{path}", body, content_type="application/json", headers=known)
    text = answer.content.decode()
    if answer.status_code < 400:
        return Answer("ok", text)
    problem = json.loads(text)
    headers = {name: value for name, value in answer.items() if name != "X-Request-ID"}
    word = WORDS.get(problem["code"], problem["code"])
    mould = [answer.status_code, headers, problem | {"request_id": ""}]
    world.refusals[role, id(way)] = Answer(word, text, problem["detail"], mould)
    return world.refusals[role, id(way)]


def by_page(world: World, role: str, way: Way, words: Words) -> Answer:
    found = _sent(world, role, way, words)
    if found.word != "refused" or not way.call:
        return found
    # A page says it in words alone. They are those of the call, which gives the code, too.
    call = world.refusals.get((role, id(way))) or by_call(world, role, way, words)
    is_same = call.reason and call.reason in found.said
    return replace(found, word=call.word if is_same else f"refused: {found.reason}")


def _sent(world: World, role: str, way: Way, words: Words) -> Answer:
    method, _, path = filled(way.page, words).partition(" ")
    browser.cookies.clear()
    if role != NOBODY:
        browser.cookies[settings.SESSION_COOKIE_NAME] = world.cookies[role]
    answer: Any = getattr(browser, method.lower())(f"/{path}", filled(way.form, words))
    told = list(get_messages(answer.wsgi_request))
    reason = " ".join(str(each) for each in told if each.level_tag == "error")
    said = f"{unescape(answer.content.decode())} {' '.join(map(str, told))}"
    # Every page names its reader: that is no difference.
    content = answer.content if role == NOBODY else answer.content.replace(str(world[role].pk).encode(), b"")
    return Answer(_word(answer, reason), said, reason, [answer.status_code, content])


def _word(answer: Any, reason: str) -> str:
    if answer.get("Location", "").startswith("/accounts/login/"):
        return "sign_in"
    refused = answer.status_code >= 400 or reason
    return {404: "not_found", 410: "gone"}.get(answer.status_code, "refused" if refused else "ok")


def _until_moved(mark: str, user: User, conversation_id: str, *, within: float = 10) -> None:
    """Wait until someone's mark stands at the end of a conversation: marks gather before they are stored."""
    marked = Participant.objects.filter(user=user, conversation=conversation_id, **{mark: F(LAST)})
    deadline = time.monotonic() + within
    while not marked.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


class Sockets:
    """The door that a server holds open: everyone has a socket, from the first time they use it until the end."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._runner = asyncio.Runner()
        self._opened = AsyncExitStack()
        self._of: dict[str, Socket] = {}

    def close(self) -> None:
        self._runner.run(self._opened.aclose())
        self._runner.close()

    def __call__(self, world: World, role: str, way: Way, words: Words) -> Answer:
        frame = {"type": way.frame, "ref": str(uuid7()), **filled(way.fields, words)}
        asked = self._refused(frame) if role == NOBODY else self._asked(world, role, frame)
        answer = self._runner.run(asked)
        if way.frame in MARKS and answer["type"] == "ack":
            _until_moved(MARKS[way.frame], world[role], filled("{conversation}", words))
        data, text = answer["data"], json.dumps(answer["data"])
        if answer["type"] == "ack":
            return Answer("ok", text)
        return Answer(WORDS.get(data["code"], data["code"]), text, data["detail"], data)

    async def _asked(self, world: World, role: str, frame: dict[str, Any]) -> dict[str, Any]:
        socket = await self._socket(role, world.tokens[role])
        await socket.send(frame)
        if frame["type"] not in SILENT:
            return await socket.next_frame("", ref=frame["ref"])
        # Frames are obeyed one after the other.
        await socket.ask("ping")
        with suppress(TimeoutError):
            return await socket.next_frame("", ref=frame["ref"], within=0)
        return {"type": "ack", "data": {}}

    async def _socket(self, role: str, token: str) -> Socket:
        if role not in self._of:
            client = await self._opened.enter_async_context(Client(self._server, access=token))
            self._of[role] = await self._opened.enter_async_context(client.socket())
        return self._of[role]

    async def _refused(self, frame: dict[str, Any]) -> dict[str, Any]:
        async with Client(self._server) as client, client.bare_socket(headers={}) as socket:
            await socket.send(frame)
            return await socket.next_frame("error")
