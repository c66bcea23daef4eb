"""The three doors: what someone tries there, and what comes of it in one word."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from html import unescape
from typing import Any, Protocol

from django.apps import apps
from django.conf import settings
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client as Browser

from accounts.models import Session
from tests.doors.matrix.table import Row
from tests.doors.matrix.ways import WAYS, Way
from tests.doors.matrix.world import NAME, NOBODY, SCENES, Nothing, Scene, Words, World, filled
from tests.support.client import Client

SILENT = {"read"}
"""Frames that are answered only when something was wrong."""
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


Apart = Callable[[], AbstractContextManager[Any]]


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
    return Answer(word, text, problem["detail"], [answer.status_code, headers, problem | {"request_id": ""}])


def by_page(world: World, role: str, way: Way, words: Words) -> Answer:
    found = _sent(world, role, way, words)
    if found.word != "refused":
        return found
    # A page says it in words alone. They are those of the call, which gives the code, too.
    call = by_call(world, role, way, words)
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
    return Answer(_word(answer, reason), said, reason, [answer.status_code, answer.content])


def _word(answer: Any, reason: str) -> str:
    if answer.get("Location", "").startswith("/accounts/login/"):
        return "sign_in"
    refused = answer.status_code >= 400 or reason
    return {404: "not_found", 410: "gone"}.get(answer.status_code, "refused" if refused else "ok")


def by_frame(server: str) -> Door:
    """The door that a server holds open for sockets."""

    def attempt(world: World, role: str, way: Way, words: Words) -> Answer:
        frame = {"type": way.frame, "ref": "this", **filled(way.fields, words)}
        return _answer(asyncio.run(_asked(server, world.tokens.get(role), frame)))

    return attempt


async def _asked(server: str, token: str | None, frame: dict[str, Any]) -> dict[str, Any]:
    """Send a frame and give what answers it; nothing for those that are answered only when something is wrong."""
    async with Client(server, access=token) as client:
        if token is None:
            async with client.bare_socket(headers={}) as socket:
                await socket.send(frame)
                return await socket.next_frame("error")
        async with client.socket() as socket:
            await socket.send(frame)
            if frame["type"] not in SILENT:
                return await socket.next_frame("", ref=frame["ref"])
            # Frames are obeyed one after the other.
            await socket.ask("ping")
            with suppress(TimeoutError):
                return await socket.next_frame("", ref=frame["ref"], within=0)
            return {"type": "ack", "data": {}}


def _answer(frame: dict[str, Any]) -> Answer:
    data, text = frame["data"], json.dumps(frame["data"])
    if frame["type"] == "ack":
        return Answer("ok", text)
    return Answer(WORDS.get(data["code"], data["code"]), text, data["detail"], data)


def stored() -> dict[str, str]:
    """Fingerprint every table of ours, so that a change of any row is seen; when a device was last seen is none."""
    ours = [
        app for name in ("accounts", "conversations", "messaging") for app in apps.get_app_config(name).get_models()
    ]
    tables = {model._meta.model_name: model._meta.db_table for model in ours if model is not Session}
    one = "SELECT '{}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(one.format(*each) for each in tables.items()))
        return dict(cursor.fetchall())


def outcomes(door: Door, world: World, kind: str, action: str, row: Row, *, apart: Apart) -> Row:
    """Let everyone in a row try it, each apart from the others; say in a word what came of it, and more if too much."""
    way, scene = WAYS[action], SCENES[kind]
    with apart():
        nothing = (
            door(world, "stranger", way, Nothing(scene(world, "stranger"))) if "not_found" in row.values() else None
        )
    found = {}
    for role in row:
        with apart():
            found[role] = _outcome(door, scene(world, role), way, nothing)
    return found


def _outcome(door: Door, scene: Scene, way: Way, nothing: Answer | None) -> str:
    # What the attempt needs is there before it begins.
    for each in (way.call, way.body, way.fields, way.page, way.form, way.shows):
        filled(each, scene)
    before = stored()
    answer = door(scene.world, scene.role, way, scene)
    after = stored()
    changed = {name for name in after if after[name] != before[name]}
    return " ".join([_word_for(answer, way, changed), *_faults(answer, way, scene, nothing)])


def _word_for(answer: Answer, way: Way, changed: set[str]) -> str:
    wanted = set(way.writes.split())
    if answer.word != "ok":
        return f"{answer.word}, but changes {sorted(changed)}" if changed else answer.word
    if wanted and not changed:
        return "idle"
    return "ok" if wanted <= changed and bool(wanted) == bool(changed) else f"ok, and changes {sorted(changed)}"


def _faults(answer: Answer, way: Way, scene: Scene, nothing: Answer | None) -> list[str]:
    is_yes = answer.word == "ok"
    hidden = scene.hidden - ({NAME} if way.introduces and is_yes else set())
    faults = [f"and tells {words!r}" for words in sorted(hidden) if words in answer.said]
    if is_yes and scene.is_in and filled(way.shows, scene) not in answer.said:
        faults.append(f"without {way.shows}")
    if answer.word == "not_found" and nothing and answer.mould != nothing.mould:
        faults.append("unlike what is not there")
    return faults
