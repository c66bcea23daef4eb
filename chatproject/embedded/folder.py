"""CHAT_VAR: everything that the embedded default writes, in one folder that one run has at a time."""

import fcntl
import hashlib
import os
import pwd
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import CannotRun

PROJECT = Path(__file__).resolve().parents[2]
# A unix socket's whole path may have about 107 bytes; the longest name put behind ours has 14.
SOCKETS_PATH_LIMIT = 85
# PostgreSQL refuses to run as root; as root we run it as this user.
SYSTEM_USER = "parley-postgres"


class Folder:
    """The places inside CHAT_VAR, made when first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Folder":
        """Find the folder that the environment names, relative to the project; `var` by default."""
        return cls(PROJECT / (environ.get("CHAT_VAR") or "var"))

    def sub(self, name: str, mode: int = 0o700) -> Path:
        """Return a folder in ours, made if need be."""
        place = self.path / name
        place.mkdir(mode=mode, parents=True, exist_ok=True)
        return place

    def pid_file(self, name: str) -> Path:
        return self.sub("run") / f"{name}.pid"

    def log(self, name: str) -> Path:
        return self.sub("log") / f"{name}.log"

    def sockets(self) -> Path:
        """Return the folder for unix sockets; one elsewhere if our own path is too long, or would read as a list."""
        if len(os.fsencode(self.path / "sockets")) <= SOCKETS_PATH_LIMIT and "," not in str(self.path):
            return self.sub("sockets")
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return own_folder(Path(tempfile.gettempdir()) / f"parley-{os.getuid()}-{digest}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the folder to ourselves for as long as we run."""
        try:
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            self._close_to_others()
            handle = (self.path / "lock").open("a")
        except OSError as error:
            raise CannotRun(f"Parley cannot write to {self.path}: {error.strerror}.") from error
        with handle:
            try:
                # Not `flock`: honcho's forks would hold on to it after we are killed.
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CannotRun(
                    f"Another Parley is running on {self.path}. End it first, or choose another folder: CHAT_VAR=…"
                ) from None
            yield

    def _close_to_others(self) -> None:
        """Let nobody else write where the keys are; CannotRun where the folder is someone else's."""
        found = self.path.stat()
        if found.st_uid != os.getuid():
            raise CannotRun(
                f"{self.path} belongs to someone else, who could read and change all that is in it. "
                "Choose another folder (CHAT_VAR=…), or make this one yours (chown)."
            )
        if found.st_mode & 0o022:
            self.path.chmod(stat.S_IMODE(found.st_mode) & ~0o022)

    @contextmanager
    def written_environment(self, values: Mapping[str, str]) -> Iterator[None]:
        """Write down where everything is while it runs, for `manage.py` in another terminal."""
        file = self.path / "environment"
        write_private(file, values)
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def own_folder(place: Path) -> Path:
    """Return a folder that lies where everyone may make one; make it if need be, CannotRun if it is not ours alone."""
    with suppress(FileExistsError):
        place.mkdir(mode=0o700)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners() or found.st_mode & 0o077:
        raise CannotRun(
            f"{place} is not a folder that belongs to you alone, so others could answer there in our place. "
            "Remove it, or choose a shorter CHAT_VAR."
        )
    return place


def owners() -> set[int]:
    """Whose a folder for sockets may be: ours, or as root that of PostgreSQL, to which `postgres.py` gives it."""
    known = {os.getuid()}
    if not os.getuid():
        with suppress(KeyError):
            known.add(pwd.getpwnam(SYSTEM_USER).pw_uid)
    return known


def write_private(file: Path, values: Mapping[str, str], *, replace: bool = True) -> None:
    """Write NAME=value lines at once and for the owner alone; without `replace`, an existing file is an error."""
    write_secret(file, "".join(f"{name}={value}\n" for name, value in values.items()).encode(), replace=replace)


def write_secret(file: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file at once and for the owner alone; without `replace`, an existing file is an error."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "wb") as output:
            output.write(content)
            output.flush()
            os.fsync(output.fileno())
        if replace:
            Path(temporary).replace(file)
        else:
            file.hardlink_to(temporary)
    finally:
        Path(temporary).unlink(missing_ok=True)
    _sync_directory(file.parent)


def _sync_directory(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
