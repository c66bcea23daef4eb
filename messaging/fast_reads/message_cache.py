"""The JSON of messages, kept for as long as they do not change."""

from collections import OrderedDict
from uuid import UUID

BYTES_KEPT = 32 * 1024 * 1024
OVERHEAD = 200
"""Bytes that an entry takes beside its JSON."""


class MessageCache:
    """Keeps JSON by message, with the version at which it was written; the one not used for longest goes first.

    It is in the memory of this process alone: Redis would hold what people write as plain text.
    """

    def __init__(self, most: int = BYTES_KEPT) -> None:
        self._kept: OrderedDict[UUID, tuple[int, bytes]] = OrderedDict()
        self._most = most
        self._size = 0

    def get(self, id: UUID, version: int) -> bytes | None:
        """Return what was kept of a message at a version."""
        found = self._kept.get(id)
        if found is None or found[0] != version:
            return None
        self._kept.move_to_end(id)
        return found[1]

    def put(self, id: UUID, version: int, json: bytes) -> None:
        """Keep the JSON of a message, in place of what was kept of it."""
        if former := self._kept.pop(id, None):
            self._size -= len(former[1]) + OVERHEAD
        self._kept[id] = version, json
        self._size += len(json) + OVERHEAD
        while self._size > self._most:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._size -= len(dropped) + OVERHEAD

    def clear(self) -> None:
        """Forget everything, as after a restore: versions may come again with another content."""
        self._kept.clear()
        self._size = 0
