"""`make run`: start the engines, migrate the database, run the application's processes until a signal arrives.

With a management command as arguments, the engines run for as long as that command, without the web server.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from chatproject.environment import Environment, InvalidSetting
from chatproject.exposure import Address, exposing

from .application import manage_command, run_application
from .console import show
from .data_folder import DataFolder
from .engines import Engines, running_engines
from .errors import CannotRun, StopRequested
from .orphans import MARK, end_orphans
from .ports import require_free
from .process import PAUSE
from .signals import Signals
from .supervisor import supervised


def main(arguments: Sequence[str]) -> int:
    """Run Parley in the foreground. Return 0 after a requested stop, 1 with a printed reason after any other."""
    signals = Signals()
    signals.install()
    try:
        run(os.environ, signals, arguments)
    except StopRequested:
        return 0
    except (CannotRun, InvalidSetting) as reason:
        show(str(reason))
        return 1
    return 0


def run(environ: Mapping[str, str], signals: Signals, arguments: Sequence[str] = ()) -> None:
    """Start everything and wait until it ends; with the arguments of a management command, until that command ends."""
    folder, address = DataFolder.of(environ), Address.of(environ)
    demo = not arguments and wants_demo(environ)
    with folder.locked():
        end_orphans(folder)
        require_free(address)
        show("Starting Parley …")
        with running_engines(folder, environ, signals.check) as engines:
            known = process_environment(folder, environ, engines, demo=demo)
            try:
                if arguments:
                    run_command(known, signals, *arguments)
                else:
                    run_command(known, signals, "prepare")
                    serve(known, address, engines, signals)
            finally:
                signals.install()
                show("Stopping Parley …")
                end_orphans(folder)


def wants_demo(environ: Mapping[str, str]) -> bool:
    """Tell whether an embedded database gets the demo's people by default; CannotRun if CHAT_DEMO is not allowed."""
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
        show(f"Others can reach this site ({reached_by}), so the demo's people are not made.")
    return not reached_by


def process_environment(
    folder: DataFolder, environ: Mapping[str, str], engines: Engines, *, demo: bool
) -> dict[str, str]:
    """Return the environment of the application's processes."""
    known = {**environ, "CHAT_VAR": str(folder.path), MARK: str(folder.path), **engines.environment()}
    known |= public_media_endpoint(known, Address.of(environ)) if not environ.get("S3_ENDPOINT_URL") else {}
    return {**known, "CHAT_DEMO": "1"} if demo else known


def public_media_endpoint(environ: Mapping[str, str], address: Address) -> dict[str, str]:
    """Return how other machines reach the embedded storage, if they need to: one port above the page."""
    site = urlsplit(environ.get("SITE_URL") or str(address))
    if not address.is_public or environ.get("S3_PUBLIC_ENDPOINT_URL") or site.scheme != "http":
        return {}
    require_free(Address(address.host, address.port + 1))
    return {"S3_PUBLIC_ENDPOINT_URL": f"http://{site.hostname}:{address.port + 1}"}


def run_command(environ: Mapping[str, str], signals: Signals, *arguments: str) -> None:
    """Run a management command until it ends; raise CannotRun if it fails."""
    with subprocess.Popen(manage_command(*arguments), env=dict(environ), start_new_session=True) as process:  # noqa: S603
        try:
            while process.poll() is None:
                signals.check()
                time.sleep(PAUSE)
        except StopRequested:
            process.terminate()
            raise
    if process.returncode:
        raise CannotRun(f"`{' '.join(arguments)}` failed (exit code {process.returncode}); its output is above.")


def serve(known: Mapping[str, str], address: Address, engines: Engines, signals: Signals) -> None:
    """Run the application until a stop is requested; raise CannotRun if it ends by itself."""
    with supervised(engines, address, signals, shows_demo=not exposing(Environment(known))):
        code = run_application(known, address, signals)
    if code is not None:
        raise CannotRun(
            f"The web server, the job worker or `manage.py follow` ended by itself (exit code {code}), so Parley ends "
            "too; the lines above say more."
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
