"""`make run`: the engines, the database brought up to date, the web server and the jobs, until a signal comes."""

import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from .application import Application, manage, run_to_end
from .engines import Engines, running_engines
from .errors import CannotRun, StopWanted
from .folder import Folder
from .greeting import greeting, page_answers
from .signals import Signals

WATCH_SECONDS = 0.2
# An engine that falls more often than this is not helped by starting it again.
RESTARTS = 5


def main() -> int:
    """Run Parley in the foreground; 0 after a stop that was wanted, 1 with a sentence after any other."""
    signals = Signals()
    signals.listen()
    try:
        run(os.environ, signals)
    except StopWanted:
        return 0
    except CannotRun as reason:
        say(str(reason))
        return 1
    return 0


def run(environ: Mapping[str, str], signals: Signals) -> None:
    """Start everything, say where it is, and watch over it."""
    folder = Folder.of(environ)
    with folder.locked():
        application = Application(folder, environ)
        application.end_leftovers()
        application.require_free_port()
        say("Starting Parley …")
        with running_engines(folder, environ, signals.check) as engines:
            known = known_to_all(folder, environ, engines)
            run_to_end("prepare", manage("prepare"), folder=folder, environ=known, signals=signals)
            try:
                application.start(known)
                greet(application, known["DATABASE_URL"], signals)
                watch(application, engines, signals)
            finally:
                say("Stopping Parley …")
                application.stop()


def known_to_all(folder: Folder, environ: Mapping[str, str], engines: Engines) -> dict[str, str]:
    """Return the environment of our own processes; a database of our own may be given the demo's people."""
    demo = {} if environ.get("DATABASE_URL") or environ.get("CHAT_DEMO") else {"CHAT_DEMO": "1"}
    return {**environ, "CHAT_VAR": str(folder.path), **engines.environment(), **demo}


def greet(application: Application, database_url: str, signals: Signals) -> None:
    """Wait until the page answers and say where it is."""
    while not page_answers(application.address):
        signals.check()
        application.require_running()
        time.sleep(WATCH_SECONDS)
    say(f"\n{greeting(application.address, database_url, is_public=application.is_public)}\n")


def watch(application: Application, engines: Engines, signals: Signals) -> None:
    """Start fallen engines again, until a signal comes or the application ends by itself."""
    restarts = 0
    while True:
        signals.check()
        application.require_running()
        if fallen := engines.fallen():
            restarts += 1
            titles = " and ".join(engine.title for engine in fallen)
            if restarts > RESTARTS:
                raise CannotRun(f"{titles} ended by itself again and again, so Parley ends too.")
            say(f"{titles} ended by itself and is started again.")
            engines.start()
        time.sleep(WATCH_SECONDS)


def say(text: str) -> None:
    """Tell the person at the terminal, if there still is one."""
    with suppress(OSError):
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
