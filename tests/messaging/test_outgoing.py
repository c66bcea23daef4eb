"""Frames on their way out to one socket."""

import asyncio
from typing import Any

import pytest

from messaging.outgoing import QUEUE_LENGTH, Outgoing


class Line:
    """A connection of a server: it takes frames at once, or makes the sender wait until it has room again."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.was_slow = 0
        self.room = asyncio.Event()
        self.room.set()
        self.is_broken = False
        self.outgoing = Outgoing(self._send, on_slow=self._on_slow)

    async def _send(self, event: dict[str, Any]) -> None:
        if self.is_broken:
            raise ConnectionError
        if not self.room.is_set():
            await self.room.wait()
            # As servers do: what was written goes out a little later still.
            await asyncio.sleep(0)
        self.taken.append(event.get("text", event.get("code")))

    def _on_slow(self) -> None:
        self.was_slow += 1

    def put(self, *frames: str) -> None:
        for frame in frames:
            self.outgoing.put(frame)


@pytest.fixture
async def line() -> Line:
    return Line()


@pytest.fixture
async def stuck(line: Line) -> Line:
    """A line that has taken what there was and now makes the sender wait."""
    line.room.clear()
    return line


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_frame_is_sent_in_the_same_step_where_the_server_takes_it(line: Line) -> None:
    line.put("1", "2", "3")
    assert line.taken == ["1", "2", "3"]


async def test_frames_that_have_to_wait_keep_their_order(stuck: Line) -> None:
    stuck.put("1", "2")
    await settle()
    stuck.put("3")
    assert stuck.taken == []
    stuck.room.set()
    await settle()
    assert stuck.taken == ["1", "2", "3"]


async def test_a_frame_does_not_overtake_those_that_wait_although_there_is_room_again(stuck: Line) -> None:
    stuck.put("1")
    stuck.room.set()
    stuck.put("2")
    await settle()
    assert stuck.taken == ["1", "2"]


async def test_after_a_wait_frames_are_sent_at_once_again(stuck: Line) -> None:
    stuck.put("1")
    stuck.room.set()
    await settle()
    stuck.put("2")
    assert stuck.taken == ["1", "2"]


async def test_a_line_that_stays_stuck_is_called_slow_once_and_takes_no_more(stuck: Line) -> None:
    stuck.put(*map(str, range(QUEUE_LENGTH + 1)))
    assert stuck.was_slow == 0
    stuck.put("one too many")
    assert stuck.was_slow == 1
    stuck.put("and more", "and more")
    assert stuck.was_slow == 1
    stuck.room.set()
    await settle()
    assert stuck.taken == ["0"]


async def test_a_close_comes_behind_what_was_sent_and_is_the_last(stuck: Line) -> None:
    stuck.put("1")
    stuck.outgoing.close(4503)
    stuck.put("too late")
    stuck.room.set()
    await settle()
    assert stuck.taken == ["1", 4503]


async def test_who_gives_up_closes_without_what_was_queued(stuck: Line) -> None:
    stuck.put("1", "2")
    await settle()
    stuck.outgoing.abandon(4000)
    stuck.put("too late")
    stuck.room.set()
    await settle()
    assert stuck.taken == [4000]


async def test_a_line_that_has_gone_is_nobodys_trouble(line: Line) -> None:
    line.is_broken = True
    line.put("1", "2")
    await settle()
    assert (line.taken, line.was_slow) == ([], 0)


async def test_a_line_that_breaks_while_frames_wait_takes_no_more(stuck: Line) -> None:
    stuck.put("1", "2")
    stuck.is_broken = True
    stuck.room.set()
    await settle()
    stuck.put("3")
    assert stuck.taken == ["1"]
    assert stuck.was_slow == 0
