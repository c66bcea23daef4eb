"""`make run`: the engines, the database brought up to date, the web server and the jobs, until a signal comes.

With the words of a management command, the engines run for as long as that one does, without the web server.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from chatproject.environment import Environment
from chatproject.exposure import exposing

from .address import Address
from .application import manage, run_application
from .engines import Engines, running_engines
from .errors import CannotRun, StopWanted
from .folder import Folder
from .greeting import say
from .leftovers import MARK, end_leftovers
from .process import PAUSE
from .signals import Signals
from .watcher import watched


def main(words: Sequence[str]) -> int:
    """Run Parley in the foreground; 0 after a stop that was wanted, 1 with a sentence after any other."""
    signals = Signals()
    signals.listen()
    try:
        run(os.environ, signals, words)
    except StopWanted:
        return 0
    except CannotRun as reason:
        say(str(reason))
        return 1
    return 0


def run(environ: Mapping[str, str], signals: Signals, words: Sequence[str] = ()) -> None:
    """Start everything, and stay until it ends; with the words of a management command, until that one ends."""
    folder, address = Folder.of(environ), Address.of(environ)
    demo = not words and has_demo(environ)
    with folder.locked():
        end_leftovers(folder)
        address.require_free()
        say("Starting Parley …")
        with running_engines(folder, environ, signals.check) as engines:
            known = known_to_all(folder, environ, engines, demo=demo)
            try:
                if words:
                    command(known, signals, *words)
                else:
                    command(known, signals, "prepare")
                    serve(known, address, engines, signals)
            finally:
                signals.listen()
                say("Stopping Parley …")
                end_leftovers(folder)


def has_demo(environ: Mapping[str, str]) -> bool:
    """Tell whether a database of our own gets the demo's people unasked; CannotRun where they may not be asked for."""
    env = Environment(environ)
    reached_by = ", ".join(exposing(env))
    if reached_by and env.flag("CHAT_DEMO"):
        raise CannotRun(
            f"Others can reach this site ({reached_by}), and everyone knows the password of the people that CHAT_DEMO "
            "makes. Take CHAT_DEMO out of the environment."
        )
    if environ.get("DATABASE_URL") or environ.get("CHAT_DEMO"):
        return False
    if reached_by:
        say(f"Others can reach this site ({reached_by}), so the demo's people are not made.")
    return not reached_by


def known_to_all(folder: Folder, environ: Mapping[str, str], engines: Engines, *, demo: bool) -> dict[str, str]:
    """Return the environment of our own processes."""
    known = {**environ, "CHAT_VAR": str(folder.path), MARK: str(folder.path), **engines.environment()}
    known |= media_for_others(known, Address.of(environ)) if not environ.get("S3_ENDPOINT_URL") else {}
    return {**known, "CHAT_DEMO": "1"} if demo else known


def media_for_others(environ: Mapping[str, str], address: Address) -> dict[str, str]:
    """Say where other machines reach the storage of our own, if they are to: one port above the page."""
    site = urlsplit(environ.get("SITE_URL") or str(address))
    if not address.is_public or environ.get("S3_PUBLIC_ENDPOINT_URL") or site.scheme != "http":
        return {}
    Address(address.host, address.port + 1).require_free()
    return {"S3_PUBLIC_ENDPOINT_URL": f"http://{site.hostname}:{address.port + 1}"}


def command(environ: Mapping[str, str], signals: Signals, *words: str) -> None:
    """Run one of the project's management commands until it ends; raise CannotRun if it fails."""
    with subprocess.Popen(manage(*words), env=dict(environ), start_new_session=True) as process:  # noqa: S603
        try:
            while process.poll() is None:
                signals.check()
                time.sleep(PAUSE)
        except StopWanted:
            process.terminate()
            raise
    if process.returncode:
        raise CannotRun(f"`{' '.join(words)}` failed (exit code {process.returncode}); what it said stands above.")


def serve(known: Mapping[str, str], address: Address, engines: Engines, signals: Signals) -> None:
    """Run the application until it is told to end; raise CannotRun when it ends otherwise."""
    with watched(engines, address, signals, shows_demo=not exposing(Environment(known))):
        code = run_application(known, address, signals)
    if code is not None:
        raise CannotRun(
            f"The web server or the job worker ended by itself (exit code {code}), so Parley ends too; "
            "the lines above say more."
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
