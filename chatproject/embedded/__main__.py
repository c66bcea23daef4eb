"""`make run`: the engines, the database brought up to date, the web server and the jobs, until a signal comes."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

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
    """Start everything, and stay until it ends."""
    folder, address = Folder.of(environ), Address.of(environ)
    with folder.locked():
        end_leftovers(folder)
        address.require_free()
        say("Starting Parley …")
        with running_engines(folder, environ, signals.check) as engines:
            known = known_to_all(folder, environ, engines, demo=has_demo(environ, address))
            try:
                prepare(known, signals)
                serve(known, address, engines, signals)
            finally:
                signals.listen()
                say("Stopping Parley …")
                end_leftovers(folder)


def has_demo(environ: Mapping[str, str], address: Address) -> bool:
    """Tell whether a database of our own is given the demo's people unasked; say so where it is not."""
    if environ.get("DATABASE_URL") or environ.get("CHAT_DEMO"):
        return False
    if address.is_public:
        say("Other machines can reach this page, so the demo's people are not made: CHAT_DEMO=1 would make them.")
    return not address.is_public


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


def prepare(environ: Mapping[str, str], signals: Signals) -> None:
    """Bring the database up to date."""
    with subprocess.Popen(manage("prepare"), env=dict(environ), start_new_session=True) as process:  # noqa: S603
        try:
            while process.poll() is None:
                signals.check()
                time.sleep(PAUSE)
        except StopWanted:
            process.terminate()
            raise
    if process.returncode:
        raise CannotRun(f"`prepare` failed (exit code {process.returncode}); what it said stands above.")


def serve(known: Mapping[str, str], address: Address, engines: Engines, signals: Signals) -> None:
    """Run the application until it is told to end; raise CannotRun when it ends otherwise."""
    with watched(engines, address, signals):
        code = run_application(known, address, signals)
    if code is not None:
        raise CannotRun(
            f"The web server or the job worker ended by itself (exit code {code}), so Parley ends too; "
            "the lines above say more."
        )


if __name__ == "__main__":
    sys.exit(main())
