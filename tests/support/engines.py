"""A pytest plugin: PostgreSQL, Redis and the storage run before Django's settings are read, and end with the tests."""

import os
import signal
import ssl
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from chatproject.embedded.engines import running_engines
from chatproject.embedded.errors import CannotRun
from chatproject.embedded.folder import Folder

_running = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Start the engines that the environment does not name, ahead of pytest-django."""
    # Those tests that are about limits switch them on.
    os.environ.setdefault("CHAT_LIMITS", "off")
    # Nothing here speaks TLS. Out of a file every HTTP client would read all authorities, which takes 30 ms each.
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = ssl.get_default_verify_paths().openssl_capath
    os.environ["CHAT_VAR"] = os.environ.get("CHAT_TEST_VAR") or "var/test"
    folder = Folder.of(os.environ)
    # A run that is told to end ends like one that meets Ctrl-C: with its engines stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _running.enter_context(folder.locked())
        engines = _running.enter_context(running_engines(folder, os.environ))
    except CannotRun as reason:
        _running.close()
        raise pytest.UsageError(
            f"{reason}\nFor a second run beside another, name a folder of its own: CHAT_TEST_VAR=…"
        ) from None
    os.environ.update(engines.environment(), CHAT_VAR=str(folder.path))
    yield


def pytest_unconfigure() -> None:
    """Stop what was started."""
    _running.close()
