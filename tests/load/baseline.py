"""The usual stack as a system under load."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from chatproject.embedded.data_folder import PROJECT
from tests.load.processes import Web, free_port, web
from tests.load.world import Seats, Sizes, World

DATABASE = "parley_usual"


class Usual:
    """daphne and the application in tests/load/usual, on a database of its own beside Parley's."""

    name = "usual"
    hears_delivered = True

    def __init__(self) -> None:
        server = os.environ["DATABASE_URL"]
        self._server = make_conninfo(server, dbname="postgres")
        self._environ = {
            "USUAL_DATABASE_URL": make_conninfo(server, dbname=DATABASE),
            "DJANGO_SETTINGS_MODULE": "tests.load.usual.settings",
        }

    def make_database(self) -> None:
        """Begin anew, with nothing."""
        self.drop_database()
        self._run("CREATE DATABASE {}")

    def drop_database(self) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def world(self, sizes: Sizes) -> World:
        self.make_database()
        made = self._fill([2] * sizes.pairs + [sizes.members] + [2] * (sizes.idle // 2))
        return World(made[: sizes.pairs], made[sizes.pairs], made[sizes.pairs + 1 :])

    def running(self, *, cpu: int | None = None) -> AbstractContextManager[Web]:
        port = free_port()
        where = ["-b", "127.0.0.1", "-p", str(port)]
        command = [sys.executable, "-m", "daphne", "-v", "0", *where, "tests.load.usual.asgi:application"]
        return web(command, self._environ, port=port, cpu=cpu)

    def _fill(self, sizes: Sequence[int]) -> list[Seats]:
        command = [sys.executable, "-m", "tests.load.usual.fill"]
        environ = {**os.environ, **self._environ}
        wanted = json.dumps(sizes).encode()
        made = subprocess.run(
            command, env=environ, cwd=PROJECT, check=True, input=wanted, stdout=subprocess.PIPE
        ).stdout
        return [Seats(str(id), tokens) for id, tokens in json.loads(made)]

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(DATABASE)))
