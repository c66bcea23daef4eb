"""What a system under load has to offer: its people, its web process, what its sockets understand."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from tests.load.processes import Web


@dataclass(frozen=True, slots=True)
class Seats:
    """A conversation, and a token of each of its members."""

    conversation_id: str
    tokens: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything, and for how long."""

    pairs: int = 100
    members: int = 500
    idle: int = 2000
    missed: int = 1000
    conversations: int = 2000
    seconds: float = 3.0
    search_seconds: float = 1.5
    rounds: int = 3
    windows: Sequence[int] = (1, 2, 4, 8, 16, 32, 64)


QUICK = Sizes(idle=300, seconds=1.0, search_seconds=0.7, rounds=1, windows=(1, 8))


@dataclass(frozen=True, slots=True)
class World:
    """The people of a system, signed in, and their conversations."""

    pairs: Sequence[Seats]
    group: Seats
    idle: Sequence[Seats]


class System(Protocol):
    """A chat server that can be put under load."""

    name: str
    hears_delivered: bool
    """Whether its sockets take `delivered` frames."""

    def world(self, sizes: Sizes) -> World: ...

    def running(self, *, cpu: int | None) -> AbstractContextManager[Web]: ...
