"""`python -m tests.support.probe FOLDER ASIDE USER IS_CONFINED`: try what an examination must not do; say what worked.

`ASIDE` is a folder with `keys`, a file; `socket`, a unix socket; and `open`, a folder that everyone may write to.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from messaging.media.sanitizer.sandbox import SOURCE, confine


def tries(aside: Path, port: int, database: str) -> dict[str, Callable[[], object]]:
    above = os.getppid()
    return {
        "read its source": SOURCE.read_bytes,
        "read the keys": (aside / "keys").read_bytes,
        "read the environment of the server": Path(f"/proc/{above}/environ").read_bytes,
        "list a folder": lambda: [*Path("/").iterdir()],
        "write elsewhere": lambda: (aside / "open" / "new").write_bytes(b"x"),
        "write beside": lambda: Path("new").write_bytes(b"x"),
        "connect to a unix socket": lambda: socket.socket(socket.AF_UNIX).connect(str(aside / "socket")),
        "connect to the database": lambda: socket.socket(socket.AF_UNIX).connect(database),
        "connect to a port": lambda: socket.socket(socket.AF_INET).connect(("127.0.0.1", port)),
        "send a datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
        "start a process": _fork,
        "start a program": lambda: subprocess.run(["/bin/true"], check=True),
        "signal the server": lambda: os.kill(above, 0),
    }


def _fork() -> None:
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)


def _works(what: Callable[[], object]) -> bool:
    try:
        what()
    except OSError:
        return False
    return True


def main() -> None:
    folder, aside, port, database, user, is_confined = sys.argv[1:]
    if int(user):
        os.setgroups([])
        os.setresgid(int(user), int(user), int(user))
        os.setresuid(int(user), int(user), int(user))
    os.chdir(folder)
    measures = confine(Path(folder), max_bytes=1024**2) if int(is_confined) else {}
    done = {name: _works(what) for name, what in tries(Path(aside), int(port), database).items()}
    print(json.dumps({"measures": measures, "user": os.geteuid(), "done": done}))


if __name__ == "__main__":
    main()
