"""The send queue of one socket."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from messaging.socket.send_queue import QUEUE_BYTES, QUEUE_LENGTH, AsgiConnection, SendQueue


class Connection:
    """A connection that accepts frames at once, or has no room until the test makes some."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.overflows = 0
        self.is_free = self.is_open = True
        self.on_free: Callable[[], None] = lambda: None
        self.on_restart: Callable[[], None] = lambda: None
        self.outgoing = SendQueue(self, on_overflow=self._on_overflow)

    def write(self, text: bytes) -> None:
        self.sent.append(text.decode())

    def close(self, code: int) -> None:
        self.sent.append(code)

    def make_room(self) -> None:
        self.is_free = True
        self.on_free()

    def put(self, *frames: str) -> None:
        for frame in frames:
            self.outgoing.put(frame.encode())

    def _on_overflow(self) -> None:
        self.overflows += 1
        self.outgoing.abandon(b"too slow", 4000)


@pytest.fixture
def connection() -> Connection:
    return Connection()


@pytest.fixture
def stuck(connection: Connection) -> Connection:
    """A connection that has no room now."""
    connection.is_free = False
    return connection


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_frame_is_sent_at_once_if_the_connection_accepts_it(connection: Connection) -> None:
    connection.put("1", "2", "3")
    assert connection.sent == ["1", "2", "3"]


def test_frames_that_have_to_wait_keep_their_order(stuck: Connection) -> None:
    stuck.put("1", "2")
    assert stuck.sent == []
    stuck.make_room()
    stuck.put("3")
    assert stuck.sent == ["1", "2", "3"]


def test_a_frame_does_not_overtake_queued_ones(stuck: Connection) -> None:
    stuck.put("1")
    stuck.is_free = True
    stuck.put("2")
    stuck.make_room()
    assert stuck.sent == ["1", "2"]


def test_a_droppable_frame_is_dropped_if_others_are_queued(stuck: Connection) -> None:
    stuck.put("1")
    stuck.outgoing.put_if_idle(b"typing")
    stuck.make_room()
    stuck.outgoing.put_if_idle(b"typing again")
    assert stuck.sent == ["1", "typing again"]


def test_a_connection_that_stays_stuck_is_sent_the_reason_and_closed(stuck: Connection) -> None:
    stuck.put(*map(str, range(QUEUE_LENGTH)))
    assert stuck.overflows == 0
    stuck.put("one too many")
    stuck.put("and more", "and more")
    stuck.make_room()
    assert (stuck.overflows, stuck.sent) == (1, ["too slow", 4000])


def test_long_frames_fill_the_queue_sooner(stuck: Connection) -> None:
    stuck.put("x" * QUEUE_BYTES)
    assert stuck.overflows == 0
    stuck.put("y")
    assert stuck.overflows == 1


def test_a_close_comes_after_queued_frames_and_is_the_last(stuck: Connection) -> None:
    stuck.put("1")
    stuck.outgoing.close(4503)
    stuck.put("too late")
    stuck.make_room()
    stuck.make_room()
    assert stuck.sent == ["1", 4503]


async def test_frames_put_during_a_hold_come_after_those_put_ahead(connection: Connection) -> None:
    connection.outgoing.hold()
    connection.put("live")
    await connection.outgoing.put_ahead(b"connected")
    await connection.outgoing.put_ahead(b"missed")
    connection.outgoing.release()
    connection.put("later")
    assert connection.sent == ["connected", "missed", "live", "later"]


async def test_a_frame_put_ahead_waits_until_the_connection_accepts_it(stuck: Connection) -> None:
    stuck.outgoing.hold()
    ahead = asyncio.ensure_future(stuck.outgoing.put_ahead(b"connected"))
    await settle()
    assert stuck.sent == []
    stuck.make_room()
    await ahead
    assert stuck.sent == ["connected"]


async def test_waiting_for_room_ends_when_the_connection_is_abandoned(stuck: Connection) -> None:
    stuck.outgoing.hold()
    ahead = asyncio.ensure_future(stuck.outgoing.put_ahead(b"connected"))
    await settle()
    stuck.put(*map(str, range(QUEUE_LENGTH + 1)))
    await asyncio.wait_for(ahead, 1)
    assert stuck.sent == ["too slow", 4000]


class AnyServer:
    """An ASGI server whose `send` waits while there is no room."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.room = asyncio.Event()
        self.is_broken = False
        self.outgoing = SendQueue(AsgiConnection(self._send), on_overflow=lambda: None)

    async def _send(self, event: dict[str, Any]) -> None:
        await self.room.wait()
        if self.is_broken:
            raise ConnectionError
        self.sent.append(event.get("text", event.get("code")))


async def test_any_asgi_server_receives_one_frame_after_the_other_and_one_close() -> None:
    server = AnyServer()
    for frame in (b"1", b"2", b"3"):
        server.outgoing.put(frame)
    server.outgoing.close(1012)
    await settle()
    assert server.sent == []
    server.room.set()
    await settle()
    assert server.sent == ["1", "2", "3", 1012]


async def test_errors_of_an_asgi_server_after_a_disconnect_are_ignored() -> None:
    server = AnyServer()
    server.is_broken = True
    server.room.set()
    server.outgoing.put(b"1")
    server.outgoing.put(b"2")
    await settle()
    assert server.sent == []


async def test_an_asgi_server_that_never_finishes_a_send_is_still_asked_to_close() -> None:
    server = AnyServer()
    server.outgoing.put(b"1")
    await settle()
    server.outgoing.abandon(b"too slow", 4000)
    server.room.set()
    await settle()
    assert server.sent == [4000]
