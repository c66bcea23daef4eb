"""Watching: what was not heard is found by looking again, and nothing is told twice."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from chatproject.core.background import Background
from chatproject.core.ids import uuid7
from chatproject.core.realtime import publish_soon
from conversations.contacts import blocks
from conversations.last_seen_privacy import last_seen_of
from conversations.models import Conversation
from messaging.presence.events import PresenceHint
from messaging.presence.queries import socket_member
from messaging.presence.socket_registry import Registry
from messaging.realtime import presence, presence_watchers
from messaging.realtime.hub import Hub, hub
from tests.messaging.screen import Screen

pytestmark = pytest.mark.usefixtures("live")

block = sync_to_async(blocks.block)


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_watchers, "QUERY_EVERY", 0.5)


async def watch(screen: Screen, *users: User) -> set[object]:
    return (await hub().presence.watchers.watch(screen, [user.pk for user in users])).online


async def come_unheard(user: User) -> tuple[Registry, str]:
    """Connect someone to another server, of which nobody is told."""
    server = Registry(Background(), on_vanished=lambda: None)
    member = socket_member(user.pk, "a", uuid7(), 0)
    assert await server.enter(member) == 0
    return server, member


@pytest.mark.usefixtures("looks_often")
async def test_unpublished_changes_of_presence_are_found_by_a_later_check(
    conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(alice)
    assert await watch(screen, bob) == set()
    server, member = await come_unheard(bob)
    assert (await screen.next())["data"]["online"]
    server.remove("sockets", member)
    assert not (await screen.next())["data"]["online"]


async def test_what_is_received_twice_is_delivered_once(conversation: Conversation, alice: User, bob: User) -> None:
    screen = await Screen.of(alice)
    await watch(screen, bob)
    await come_unheard(bob)
    for _ in range(3):
        await publish_soon([PresenceHint(bob.pk)] * 3)
        await asyncio.sleep(0.1)
    assert (await screen.next())["data"]["user_id"] == str(bob.pk)
    await screen.hears_nothing(during=0.5)


class Busy(Screen):
    """A device for which others wait already."""

    is_busy = True

    def deliver_if_idle(self, frame: bytes) -> bool:
        return not self.is_busy and super().deliver_if_idle(frame)


@pytest.mark.usefixtures("looks_often")
async def test_a_socket_that_was_busy_receives_presence_later(
    conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Busy.of(alice)
    await watch(screen, bob)
    await come_unheard(bob)
    await screen.hears_nothing(during=1.5)
    screen.is_busy = False
    assert (await screen.next())["data"]["online"]


async def test_many_people_who_connect_at_once_cost_their_watcher_one_query(
    group: Conversation, alice: User, bob: User, carol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    load_last_seen = presence_watchers.queries.load_last_seen

    async def counted(pairs: object) -> object:
        asked.append(len(pairs))  # type: ignore[arg-type]
        return await load_last_seen(pairs)  # type: ignore[arg-type]

    screens = [await Screen.of(alice) for _ in range(3)]
    for screen in screens:
        await watch(screen, bob, carol)
    monkeypatch.setattr(presence_watchers.queries, "load_last_seen", counted)
    for user in (bob, carol):
        await come_unheard(user)
    await publish_soon([PresenceHint(user.pk) for user in (bob, carol)])
    for screen in screens:
        assert {(await screen.next())["data"]["user_id"] for _ in "12"} == {str(bob.pk), str(carol.pk)}
    assert asked == [2]


async def test_last_seen_is_updated_while_a_person_is_online_and_when_they_disconnect(
    conversation: Conversation, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "RECORD_EVERY", 0.3)
    server = Hub()
    screen = await Screen.of(bob, hub=server)
    await server.presence.enter(screen)
    await asyncio.sleep(0.6)
    first = await seen(alice, bob)
    await asyncio.sleep(0.6)
    second = await seen(alice, bob)
    assert second > first
    screen.leave()
    await asyncio.sleep(1)
    assert await seen(alice, bob) > second


seen = sync_to_async(lambda by, other: last_seen_of(by=by, other_id=other.pk))
