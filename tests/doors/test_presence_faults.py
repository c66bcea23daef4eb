"""Servers are killed and Redis forgets: who is here is known all the same."""

import asyncio
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from asgiref.sync import sync_to_async

from accounts.models import User
from chatproject.embedded.redis import find_server
from conversations.models import Conversation
from messaging.presence import queries
from messaging.presence import socket_registry as registry
from messaging.realtime import presence_watchers
from tests.support.client import Client, Socket
from tests.support.server import Server, running

Access = Callable[[User], str]

pytestmark = pytest.mark.long

SHORT_TIMEOUTS = "tests.doors.short_presence_timeouts:application"


async def app_on(server: Server, access: Access, user: User) -> Client:
    return Client(server.url, access=await sync_to_async(access)(user))


async def watch(socket: Socket, user: User) -> list[str]:
    return (await socket.ask("presence.watch", user_ids=[str(user.pk)]))["data"]["online"]


def test_a_ghost_lives_a_minute_at_most() -> None:
    noticed = max(registry.HEARTBEAT_SECONDS, presence_watchers.QUERY_EVERY)
    assert queries.DEAD_AFTER + noticed + presence_watchers.GRACE + queries.REDIS_TIMEOUT <= 60
    assert queries.DEAD_AFTER < registry.KEY_SECONDS


async def test_whose_server_is_killed_is_soon_offline_to_the_others(
    committed: None, access: Access, alice: User, bob: User, conversation: Conversation
) -> None:
    with running(app=SHORT_TIMEOUTS) as kept, running(app=SHORT_TIMEOUTS) as doomed:
        async with (
            await app_on(kept, access, alice) as hers,
            await app_on(doomed, access, bob) as his,
            hers.socket() as screen,
            his.socket(),
        ):
            assert await watch(screen, bob) == [str(bob.pk)]
            await asyncio.to_thread(doomed.kill)
            killed = time.monotonic()
            gone = await screen.next("presence")
            assert (gone["user_id"], gone["online"]) == (str(bob.pk), False)
            # Two seconds to be dead, five of grace; the rest is the machine's.
            assert 6.5 < time.monotonic() - killed < 12
            assert not (await hers.get(f"/users/{bob.pk}/presence")).json()["data"]["online"]


@contextmanager
def own_redis() -> Iterator["Redis"]:
    with tempfile.TemporaryDirectory(prefix="parley-test-") as place:
        engine = Redis(Path(place) / "redis.sock")
        engine.start()
        yield engine
        engine.kill()


class Redis:
    """A Redis of the test's own, to be killed."""

    def __init__(self, socket: Path) -> None:
        self.url = f"unix://{socket}"
        self._socket = socket
        self.client = redis.Redis.from_url(self.url)

    def start(self) -> None:
        words = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir", str(self._socket.parent)]
        self._process = subprocess.Popen([find_server(), *words], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


async def test_a_redis_that_is_killed_and_comes_back_empty_is_filled_again_and_nobody_seems_to_have_gone(
    committed: None, access: Access, monkeypatch: pytest.MonkeyPatch, alice: User, bob: User, conversation: Conversation
) -> None:
    with own_redis() as engine, monkeypatch.context() as environment:
        environment.setenv("REDIS_URL", engine.url)
        with running() as here, running() as there:
            async with (
                await app_on(here, access, alice) as hers,
                await app_on(there, access, bob) as his,
                hers.socket() as screen,
                his.socket() as bobs,
            ):
                assert await watch(screen, bob) == [str(bob.pk)]
                await bobs.send({"type": "conversation.open", "conversation_id": str(conversation.pk)})
                await asyncio.to_thread(engine.kill)
                # Nobody is cut off, and who comes is let in.
                async with hers.socket() as other:
                    assert (await other.ask("ping"))["type"] == "pong"
                refused = await screen.ask("presence.watch", user_ids=[str(bob.pk)])
                assert refused["data"]["code"] == "unavailable"
                assert (await hers.get(f"/users/{bob.pk}/presence")).status_code == 503
                await asyncio.to_thread(engine.start)
                await registered(engine)
                assert await screen.silence("presence", during=8)
                assert (await bobs.ask("ping"))["type"] == "pong"


async def registered(engine: Redis) -> None:
    """Wait for what stood there before: a socket of hers, one of his, and what he looks at, from either side."""
    async with asyncio.timeout(3):
        while len(await asyncio.to_thread(members, engine)) != 4:  # noqa: ASYNC110 (it is Redis that changes)
            await asyncio.sleep(0.05)


def members(engine: Redis) -> list[bytes]:
    keys = [key for kind in ("sockets", "open") for key in engine.client.keys(f"presence:*:{kind}")]
    return [member for key in keys for member in engine.client.zrange(key, 0, -1)]
