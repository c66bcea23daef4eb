"""What tests of media share: uploads as an app makes them, on the real storage."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from accounts.models import User
from messaging.media.storage import media_storage
from tests.doors.conftest import Rest, rest

__all__ = ["rest"]

Send = Callable[..., dict[str, Any]]


def begin(app: httpx.Client, data: bytes, filename: str, content_type: str, *, size: int | None = None) -> Any:
    """Ask for a place for a file."""
    body = {"filename": filename, "content_type": content_type, "size": len(data) if size is None else size}
    return app.post("/media/uploads", json=body)


def put(offer: dict[str, Any], data: bytes, **other: str) -> httpx.Response:
    """Post a file to the storage with the fields of an offer, some of them written otherwise."""
    return httpx.post(offer["url"], data={**offer["fields"], **other}, files={"file": ("file", data)}, timeout=30)


def upload(app: httpx.Client, data: bytes, filename: str = "a.jpg", content_type: str = "image/jpeg") -> dict[str, Any]:
    """Upload a file and complete it, as an app does; give what it is then, or the problem."""
    begun = begin(app, data, filename, content_type)
    assert begun.status_code == 201, begun.text
    said = begun.json()["data"]
    stored = put(said["upload"], data)
    assert stored.status_code == 204, stored.text
    answer = app.post(f"/media/{said['media']['id']}/complete").json()
    found: dict[str, Any] = answer.get("data", answer)
    return found


def download(app: httpx.Client, media: dict[str, Any], field: str = "url") -> httpx.Response:
    """Follow the way to the bytes."""
    way = app.get(media[field].removeprefix("/api/v1"))
    assert way.status_code == 302, way.text
    return httpx.get(way.headers["Location"])


@pytest.fixture(autouse=True)
def _an_empty_storage() -> Iterator[None]:
    yield
    storage = media_storage()
    storage.delete_objects([key for key, _ in storage.list_objects()])


@pytest.fixture
def phone(rest: Rest) -> Callable[[User], httpx.Client]:
    """A person's app, each person's one."""
    known: dict[Any, httpx.Client] = {}
    return lambda user: known.setdefault(user.pk, rest(user))
