"""What a device has said and nobody has acknowledged: said again, under the same ids, until somebody has."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.faults.journal import Journal, Saying

TRANSIENT = {"unavailable", "rate_limited", "too_fast"}
RETRY_SECONDS = 0.5

Send = Callable[[dict[str, Any]], bool]


class Outbox:
    """Sayings in the order in which they were composed."""

    def __init__(self, journal: Journal, send: Send) -> None:
        self._journal = journal
        self._send = send
        self._waiting: dict[str, Saying] = {}
        self._tries: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, saying: Saying) -> None:
        """Keep a saying and send it, if there is a way."""
        self._journal.say(saying)
        self._waiting[saying.id] = saying
        self._send_one(saying)

    def flush(self) -> None:
        """Send everything again, in order."""
        for saying in self._waiting.values():
            self._send_one(saying)
            self._journal.answered["sent again"] += self._tries[saying.id] > 1

    def answer(self, id: str, frame: dict[str, Any]) -> None:
        """Take the server's answer to a saying."""
        if frame["type"] == "ack":
            self._journal.acknowledge(frame["data"])
            self._waiting.pop(id, None)
        elif frame["data"]["code"] in TRANSIENT:
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._try_again, id)
        elif self._waiting.pop(id, None):
            self._journal.refuse(id, frame["data"]["code"], tries=self._tries[id])

    def _try_again(self, id: str) -> None:
        if id in self._waiting:
            self._send_one(self._waiting[id])

    def _send_one(self, it: Saying) -> None:
        fields = {"id": it.id, "conversation_id": it.conversation_id, "text": it.text}
        self._tries[it.id] += self._send({"type": "message.send", "ref": it.id, **fields})
