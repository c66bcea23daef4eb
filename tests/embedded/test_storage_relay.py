"""How other machines reach the storage of `make run`: what was signed for their address works there."""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from chatproject.embedded.__main__ import public_media_endpoint
from chatproject.embedded.application import commands
from chatproject.exposure import Address
from messaging.media.storage import MediaStorage
from tests.messaging.media.conftest import put
from tests.support.server import free_port

EVERYWHERE = "0.0.0.0"  # noqa: S104 (nobody listens)


@pytest.fixture
def relay(settings: Any) -> Iterator[str]:
    """The address of a relay to the storage."""
    port, target = free_port(), urlsplit(settings.STORAGES["default"]["OPTIONS"]["endpoint_url"]).port
    words = [sys.executable, "-m", "chatproject.embedded.storage_relay", "127.0.0.1", str(port), str(target)]
    with subprocess.Popen(words) as process:
        try:
            for _ in range(200):
                try:
                    httpx.get(f"http://127.0.0.1:{port}/")
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            assert process.wait(5) == 0


def test_an_upload_and_a_link_work_by_the_other_address(relay: str, settings: Any) -> None:
    storage = MediaStorage(**settings.STORAGES["default"]["OPTIONS"] | {"public_endpoint_url": relay})
    data = bytes(range(256)) * 4000
    offer = storage.presign_upload("uploads/by-relay", content_type="application/zip", size=len(data))
    assert offer["url"].startswith(relay)
    assert put({**offer}, data).status_code == 204
    link = storage.presign_download(
        "uploads/by-relay", content_type="application/zip", filename="a.zip", is_inline=False
    )
    assert link.startswith(relay)
    assert httpx.get(link).content == data
    assert httpx.get(link.partition("?")[0]).status_code == 403
    storage.delete_objects(["uploads/by-relay"])


@pytest.mark.parametrize(
    ("environ", "reached"),
    [
        ({}, None),
        ({"HOST": EVERYWHERE}, "http://127.0.0.1:{}"),
        ({"HOST": EVERYWHERE, "SITE_URL": "http://chat.lan:80"}, "http://chat.lan:{}"),
        ({"HOST": EVERYWHERE, "SITE_URL": "https://chat.example"}, None),
        ({"HOST": EVERYWHERE, "S3_PUBLIC_ENDPOINT_URL": "http://media.lan"}, None),
    ],
)
def test_the_storage_is_reached_one_port_above_a_page_that_is_public(
    environ: dict[str, str], reached: str | None
) -> None:
    port = free_port()
    known = {"PORT": str(port), "S3_ENDPOINT_URL": "http://127.0.0.1:9999", **environ}
    told = public_media_endpoint(known, Address.of(known))
    assert told == ({"S3_PUBLIC_ENDPOINT_URL": reached.format(port + 1)} if reached else {})
    assert ("media" in commands({**known, **told}, Address.of(known))) == (reached is not None)
