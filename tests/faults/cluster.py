"""What is put under stress: engines of our own, and web processes that reach them through wires."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chatproject.embedded.application import manage_command, web_command
from chatproject.embedded.data_folder import PROJECT, DataFolder
from chatproject.embedded.engine import Engine
from chatproject.embedded.engines import Engines, running_engines
from chatproject.embedded.ports import choose_ports
from tests.faults.database_wire import DatabaseWire
from tests.faults.redis_wire import RedisWire

# Nothing here sends a file: the storage is said to be elsewhere, so that none is started.
ELSEWHERE = {"S3_ENDPOINT_URL": "http://127.0.0.1:9"}
PATIENCE = 180.0


class Site:
    """Engines on a folder, with the database made ready."""

    def __init__(self, folder: DataFolder, engines: Engines) -> None:
        self.folder = folder
        self.environ = {**os.environ, **engines.environment(), "CHAT_VAR": str(folder.path), "CHAT_LIMITS": "off"}
        self._engines = {engine.name: engine for engine in engines.all}

    @property
    def database_url(self) -> str:
        """The database itself, past all wires."""
        return self.environ["DATABASE_URL"]

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to an engine's process."""
        self._engines[name].process.signal(number)

    async def kill(self, name: str, number: signal.Signals) -> None:
        """End an engine by a signal, and wait until it is gone."""
        self.send(name, number)
        await asyncio.to_thread(self._engines[name].process.wait, PATIENCE)

    async def start(self, name: str) -> None:
        """Start an engine again, and wait until it answers."""
        await asyncio.to_thread(_start, self._engines[name])

    async def answers(self, name: str) -> bool:
        """Tell whether an engine can be used."""
        return await asyncio.to_thread(self._engines[name].answers)


def _start(engine: Engine) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        engine.launch()
        if engine.answers():
            return
        time.sleep(0.1)
    raise TimeoutError(f"{engine.title} does not answer: {engine.recent_log()}")


def _keep_commit_times(engines: Engines) -> None:
    """Have PostgreSQL remember when each transaction was committed; it takes a new start."""
    with psycopg.connect(engines.database_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    postgres = next(engine for engine in engines.all if engine.name == "postgres")
    postgres.request_stop()
    postgres.end()
    _start(postgres)


@contextmanager
def running_site(place: Path | None = None) -> Iterator[Site]:
    """Have engines of our own for as long as the block lasts, in a folder of a moment unless one is named."""
    with tempfile.TemporaryDirectory(prefix="parley-faults-") as temporary:
        folder = DataFolder(place or Path(temporary))
        with folder.locked(), running_engines(folder, ELSEWHERE) as engines:
            site = Site(folder, engines)
            _keep_commit_times(engines)
            subprocess.run(
                manage_command("prepare"), env={**site.environ, "CHAT_DEMO": ""}, check=True, stdout=subprocess.DEVNULL
            )
            yield site


class Server:
    """One web process, the product's own command, and its two wires."""

    def __init__(self, site: Site, name: str, sockets: Path, *, without: str | None = None) -> None:
        self.name = name
        self._site = site
        self._without = without
        self.port = choose_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        known = conninfo_to_dict(site.database_url)
        postgres = f".s.PGSQL.{known['port']}"
        self.redis = RedisWire(name, at=sockets / "redis", to=site.folder.sockets() / "redis.sock")
        self.database = DatabaseWire(at=sockets / postgres, to=Path(str(known["host"])) / postgres)
        self.environ = {
            **site.environ,
            "DATABASE_URL": make_conninfo(site.database_url, host=str(sockets)),
            "REDIS_URL": f"unix://{quote(str(self.redis.at))}",
            "SITE_URL": self.url,
            "LOG_FORMAT": "json",
            "WEB_WORKERS": "1",
        }

    def start(self) -> None:
        """Start the process; it need not answer yet."""
        with self._site.folder.log(f"web-{self.name}").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), env=self.environ, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End the process as a power failure would."""
        self._process.kill()
        self._process.wait()

    async def wait(self) -> None:
        """Wait until it answers."""
        async with httpx.AsyncClient() as http, asyncio.timeout(PATIENCE):
            while not await self._answers(http):
                if self._process.poll() is not None:
                    raise RuntimeError(f"server {self.name} ended by itself: see {self._site.folder.path / 'log'}")
                await asyncio.sleep(0.05)

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/healthz")).is_success
        except httpx.HTTPError:
            return False

    def _command(self) -> list[str]:
        """The product's own command; without a part of it, by a launcher that takes the part away first."""
        python, flag, *module = web_command(self.environ, host="127.0.0.1", port=self.port)
        return [python, flag, *(("tests.faults.broken", self._without) if self._without else ()), *module]


@asynccontextmanager
async def running_servers(site: Site, *names: str, without: str | None = None) -> AsyncIterator[list[Server]]:
    """Have web processes, with their wires open, for as long as the block lasts."""
    place = Path(tempfile.mkdtemp(prefix="parley-wires-"))
    servers = []
    async with AsyncExitStack() as opened:
        opened.callback(shutil.rmtree, place)
        for name in names:
            sockets = place / name
            sockets.mkdir()
            server = Server(site, name, sockets, without=without)
            for wire in (server.redis, server.database):
                await wire.open()
                opened.push_async_callback(wire.close)
            server.start()
            opened.callback(server.kill)
            servers.append(server)
        await asyncio.gather(*(server.wait() for server in servers))
        yield servers
