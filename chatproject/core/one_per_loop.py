"""One instance of something in each event loop: what holds futures, tasks or connections cannot be shared by loops."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class OnePerLoop(Generic[T]):
    """Call it for the instance of the running event loop, which is made at the first call."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._instances: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def __call__(self) -> T:
        loop = asyncio.get_running_loop()
        instance = self._instances.get(loop)
        if instance is None:
            instance = self._instances[loop] = self._make()
        return instance

    def pop(self) -> T | None:
        """Forget the instance of the running event loop and return it; None if there is none."""
        return self._instances.pop(asyncio.get_running_loop(), None)
