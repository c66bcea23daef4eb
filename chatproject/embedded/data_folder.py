"""The folder CHAT_VAR, which holds everything that `make run` writes; one run at a time may use it."""

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
# The whole path of a unix socket may have about 107 bytes; the longest name that we append has 14.
SOCKETS_PATH_LIMIT = 85
# PostgreSQL refuses to run as root; if we are root, it runs as this user.
SYSTEM_USER = "parley-postgres"


class DataFolder:
    """The paths inside CHAT_VAR, created when first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "DataFolder":
        """Return the folder that the environment names, relative to the project; `var` by default."""
        return cls(PROJECT / (environ.get("CHAT_VAR") or "var"))

    def subfolder(self, name: str, mode: int = 0o700) -> Path:
        """Return a folder inside this one, created if missing."""
        path = self.path / name
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        return path

    def pid_file(self, name: str) -> Path:
        return self.subfolder("run") / f"{name}.pid"

    def log(self, name: str) -> Path:
        return self.subfolder("log") / f"{name}.log"

    def sockets(self) -> Path:
        """Return the folder for unix sockets: a temporary one if our path is too long or has a comma, a separator."""
        if len(os.fsencode(self.path / "sockets")) <= SOCKETS_PATH_LIMIT and "," not in str(self.path):
            return self.subfolder("sockets")
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return private_folder(Path(tempfile.gettempdir()) / f"parley-{os.getuid()}-{digest}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder against other runs for as long as the block lasts."""
        try:
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            self._restrict_access()
            handle = (self.path / "lock").open("a")
        except OSError as error:
            raise CannotRun(f"Parley cannot write to {self.path}: {error.strerror}.") from error
        with handle:
            try:
                # Not `flock`: honcho's forks would keep that lock after we are killed.
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CannotRun(
                    f"Another Parley is running on {self.path}. End it first, or choose another folder: CHAT_VAR=…"
                ) from None
            yield

    def _restrict_access(self) -> None:
        """Take write permission from others, because the keys are here; CannotRun if another user owns the folder."""
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
        """Keep a file that names the running engines, so that `manage.py` finds them from another terminal."""
        file = self.path / "environment"
        write_variables(file, values)
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def private_folder(path: Path) -> Path:
    """Return a folder inside one that everybody may write to, created if missing; CannotRun unless it is ours alone."""
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in allowed_owners() or found.st_mode & 0o077:
        raise CannotRun(
            f"{path} is not a folder that belongs to you alone, so others could answer there in our place. "
            "Remove it, or choose a shorter CHAT_VAR."
        )
    return path


def allowed_owners() -> set[int]:
    """Return who may own a folder for sockets: we and, if we are root, PostgreSQL's user (see `postgres.py`)."""
    known = {os.getuid()}
    if not os.getuid():
        with suppress(KeyError):
            known.add(pwd.getpwnam(SYSTEM_USER).pw_uid)
    return known


def write_variables(file: Path, values: Mapping[str, str], *, replace: bool = True) -> None:
    """Write NAME=value lines as `write_secret` does."""
    write_secret(file, "".join(f"{name}={value}\n" for name, value in values.items()).encode(), replace=replace)


def write_secret(file: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file atomically, readable for its owner only; without `replace`, an existing file is an error."""
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


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
