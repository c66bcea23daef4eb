"""A device as the hub sees it."""

import asyncio
import json
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async

from accounts.auth.sessions import start_session
from accounts.models import Session, User
from messaging.realtime.hub import Hub, hub

# A busy machine is slow; nothing that goes well has to wait for this.
PATIENCE = 20.0


class Screen:
    """Collects what it is given; a closed one hears nothing more, as a consumer would see to."""

    def __init__(self, user_id: UUID, session_id: UUID, hub: Hub) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self._end: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._hub = hub
        self._frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @classmethod
    async def of(cls, user: User, *, hub: Hub | None = None, session: Session | None = None) -> "Screen":
        """Open someone's device, a new one if none is given, on this server process or on another one."""
        session = session or await sync_to_async(start_session)(user=user)
        screen = cls(user.pk, session.pk, hub or this_hub())
        await screen._hub.attach(screen)
        return screen

    def deliver(self, frame: bytes) -> None:
        self._frames.put_nowait(json.loads(frame))

    def deliver_if_idle(self, frame: bytes) -> bool:
        self.deliver(frame)
        return True

    def end(self, code: int, error: str, detail: str) -> None:
        self._end.set_result((code, error))
        self.leave()

    def leave(self) -> None:
        self._hub.detach(self)

    async def next(self, *, within: float = PATIENCE) -> dict[str, Any]:
        """Wait for the next frame, whatever it is."""
        return await asyncio.wait_for(self._frames.get(), within)

    async def hears(self, *texts: str, within: float = PATIENCE) -> None:
        """Wait for new messages with these texts, and nothing else before, between or instead of them."""
        frames = [await self.next(within=within) for _ in texts]
        heard = [frame["data"]["message"]["text"] if frame["type"] == "message.created" else frame for frame in frames]
        assert heard == [*texts]

    async def hears_of_a_change(self, **changes: Any) -> None:
        """Wait for news of a conversation with just these changes; without any, of something that is not told."""
        frame = await self.next()
        assert (frame["type"], frame["data"].get("changes")) == ("conversation.updated", changes), frame

    async def hears_at_last(self, text: str, *, within: float = PATIENCE) -> None:
        """Wait for a new message with this text, whatever comes before it."""
        async with asyncio.timeout(within):
            while (frame := await self.next())["type"] != "message.created" or frame["data"]["message"]["text"] != text:
                pass

    async def hears_nothing(self, *, during: float = 0.3) -> None:
        try:
            frame = await self.next(within=during)
        except TimeoutError:
            return
        raise AssertionError(frame)

    def heard(self) -> list[dict[str, Any]]:
        """Give what has come and was not waited for."""
        return [self._frames.get_nowait() for _ in range(self._frames.qsize())]

    async def ends(self, *, within: float = PATIENCE) -> tuple[int, str]:
        """Wait until it is closed, and tell how."""
        return await asyncio.wait_for(self._end, within)

    @property
    def is_open(self) -> bool:
        return not self._end.done()


def this_hub() -> Hub:
    return hub()
