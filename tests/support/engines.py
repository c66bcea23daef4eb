"""A pytest plugin: PostgreSQL, Redis and the storage run before Django's settings are read, and end with the tests.

Workers of one run share them: each has a database of its own in PostgreSQL, one in Redis, and a bucket.
"""

import os
import signal
import ssl
from collections.abc import Generator
from contextlib import ExitStack, closing, suppress

import boto3
import pytest
from botocore.config import Config

from chatproject.embedded.data_folder import DataFolder
from chatproject.embedded.engines import running_engines
from chatproject.embedded.errors import CannotRun
from chatproject.embedded.orphans import MARK, end_orphans

WORKER = "PYTEST_XDIST_WORKER"

_running = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Start the engines, or go to those of the run that we work for, ahead of pytest-django."""
    # A run that is told to end ends like one that meets Ctrl-C: with its engines stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if WORKER in os.environ:
        move_within_redis(os.environ[WORKER])
        move_within_storage(os.environ[WORKER])
    else:
        start()
    yield


def pytest_unconfigure() -> None:
    """Stop what was started."""
    _running.close()


def start() -> None:
    """Start the engines that the environment does not name, and tell it of them."""
    # Those tests that are about limits switch them on.
    os.environ.setdefault("CHAT_LIMITS", "off")
    # Nothing here speaks TLS. Out of a file every HTTP client would read all authorities, which takes 30 ms each.
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = ssl.get_default_verify_paths().openssl_capath
    os.environ["CHAT_VAR"] = os.environ.get("CHAT_TEST_VAR") or "var/test"
    folder = DataFolder.of(os.environ)
    try:
        _running.enter_context(folder.locked())
        # The servers of the tests choose their ports later: pages at any may use the storage.
        engines = _running.enter_context(running_engines(folder, {**os.environ, "ALLOWED_ORIGINS": "*"}))
    except CannotRun as reason:
        _running.close()
        raise pytest.UsageError(
            f"{reason}\nFor a second run beside another, name a folder of its own: CHAT_TEST_VAR=…"
        ) from None
    # A worker that had to be killed stops no servers.
    _running.callback(end_orphans, folder)
    os.environ.update(engines.environment(), **{"CHAT_VAR": str(folder.path), MARK: str(folder.path)})


def move_within_redis(worker: str) -> None:
    """Use the database with the number of our worker; `gw0` is the first."""
    url, number = os.environ["REDIS_URL"], worker.removeprefix("gw")
    os.environ["REDIS_URL"] = f"{url}{'&' if '?' in url else '?'}db={number}"


def move_within_storage(worker: str) -> None:
    """Use a bucket of our worker's own."""
    os.environ["S3_BUCKET"] = f"{os.environ['S3_BUCKET']}-{worker}"
    client = boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT_URL"],
        aws_access_key_id=os.environ["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["S3_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    with closing(client), suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        client.create_bucket(Bucket=os.environ["S3_BUCKET"])
