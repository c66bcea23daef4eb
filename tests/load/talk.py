"""Conversations under load: who says what, on whose screens it has to appear, and when it did."""

import asyncio
import time
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import msgspec
from uuid_utils import uuid7

from tests.load.client import Socket
from tests.load.world import Seats

# Some servers put a space behind each colon.
CREATED = (b'{"type":"message.created"', b'{"type": "message.created"')
ACK = (b'{"type":"ack"', b'{"type": "ack"')
ERROR = (b'{"type":"error"', b'{"type": "error"')
DIGITS = 9
WORDS = "Shall we meet at the lake on Sunday, if the weather is good? I would bring the boat."


class Said(msgspec.Struct):
    """The part of a message that the load looks at."""

    position: int
    text: str


class Data(msgspec.Struct):
    message: Said


class Created(msgspec.Struct):
    data: Data


_decoder = msgspec.json.Decoder(Created)


@lru_cache(maxsize=256)
def read(payload: bytes) -> tuple[int, int]:
    """Tell the number and the position of a message; a group gets the same bytes over and over."""
    said = _decoder.decode(payload).data.message
    return int(said.text[:DIGITS]), said.position


@dataclass(slots=True)
class Out:
    """A message under way."""

    screen: "Screen"
    since: float
    missing: int


class Load:
    """All that is under way, and what came of it."""

    def __init__(self) -> None:
        self.sent = 0
        self.acknowledged = 0
        self.expected = 0
        self.deliveries = 0
        self.done = 0
        """Messages that have appeared on every screen they were for."""
        self.doubled = 0
        self.errors: list[str] = []
        self.latencies = array("d")
        """Seconds, one for each screen on which a message has appeared."""
        self.out: dict[int, Out] = {}
        self.goes_on = False
        """Whether whoever has been seen says the next thing at once."""
        self._from, self._until = 0.0, float("inf")

    def say(self, screen: "Screen", *, since: float | None = None) -> None:
        """Let someone say something; its time counts from when it was to be said."""
        number = self.sent
        self.sent += 1
        self.expected += screen.others
        self.out[number] = Out(screen, time.perf_counter() if since is None else since, screen.others)
        screen.write(number)

    def shown(self, number: int) -> None:
        """Note that a message has appeared on one more screen."""
        self.deliveries += 1
        out = self.out[number]
        if self._from <= out.since < self._until:
            self.latencies.append(time.perf_counter() - out.since)
        out.missing -= 1
        if not out.missing:
            del self.out[number]
            self.done += 1
            if self.goes_on:
                self.say(out.screen)

    def begin(self) -> None:
        """Note from now on how long messages take; those that were said before do not count."""
        self.latencies = array("d")
        self._from, self._until = time.perf_counter(), float("inf")

    def end(self) -> None:
        """Note no messages that are said after this; those under way still count."""
        self._until = time.perf_counter()

    async def until_done(self, count: int, *, within: float) -> None:
        """Wait until so many more messages have appeared everywhere, but not for ever."""
        wanted = self.done + count
        await until(lambda: self.done >= wanted, within=within)

    async def settle(self, *, within: float = 5) -> None:
        """Wait until everything has arrived, or nothing has for a while."""
        self.goes_on = False
        last, deadline = self.deliveries, time.monotonic() + within
        while self.out and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            if self.deliveries != last:
                last, deadline = self.deliveries, time.monotonic() + within


async def until(is_so: Callable[[], bool], *, within: float) -> bool:
    """Wait until something is so; False if it is not by then."""
    deadline = time.monotonic() + within
    while not is_so():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.001)
    return True


class Screen(Socket):
    """A member's device, which shows what the others say and acknowledges it."""

    def __init__(self, token: str, seats: Seats, load: Load, *, delivered: "Delivered | None") -> None:
        super().__init__(token)
        self.others = len(seats.tokens) - 1
        self._load = load
        self._delivered = delivered
        self._seen: set[int] = set()
        self._own: set[int] = set()
        self._through = self._told = 0
        self._begin = f'{{"type":"message.send","conversation_id":"{seats.conversation_id}","ref":"1","id":"'.encode()
        self._note = f'{{"type":"delivered","conversation_id":"{seats.conversation_id}","through":'.encode()

    def write(self, number: int) -> None:
        self._own.add(number)
        self.say(b'%b%b","text":"%09d %b"}' % (self._begin, str(uuid7()).encode(), number, WORDS.encode()))

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if not self.is_leaving:
            self._load.errors.append("the server closed a socket")

    def hear(self, payload: bytes) -> None:
        if payload.startswith(CREATED):
            number, position = read(payload)
            if number in self._own:
                return
            if number in self._seen:
                self._load.doubled += 1
                return
            self._seen.add(number)
            self._through = max(self._through, position)
            self._load.shown(number)
        elif payload.startswith(ACK):
            self._load.acknowledged += 1
        elif payload.startswith(ERROR):
            self._load.errors.append(payload.decode())

    def heard(self) -> None:
        if self._delivered is not None and self._through > self._told:
            self._delivered.note(self)

    def acknowledge(self) -> None:
        """Tell how far this screen has everything."""
        self._told = self._through
        self.say(b"%b%d}" % (self._note, self._through))


class Delivered:
    """When screens acknowledge what they show: after each read, or each of them every so often."""

    def __init__(self, *, every: float = 0) -> None:
        self._every = every
        self._waiting: deque[tuple[float, Screen]] = deque()
        self._noted: set[Screen] = set()

    def note(self, screen: Screen) -> None:
        if not self._every:
            screen.acknowledge()
        elif screen not in self._noted:
            self._noted.add(screen)
            self._waiting.append((time.monotonic() + self._every, screen))
            if len(self._waiting) == 1:
                asyncio.get_running_loop().call_later(self._every, self._tell)

    def _tell(self) -> None:
        loop, now = asyncio.get_running_loop(), time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, screen = self._waiting.popleft()
            self._noted.discard(screen)
            screen.acknowledge()
        if self._waiting:
            loop.call_later(max(0.001, self._waiting[0][0] - now), self._tell)
