"""What tests of media share: uploads as an app makes them, on the real storage."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from accounts.models import User
from conversations.creation import start_direct
from conversations.models import Conversation
from messaging.media.storage import media_storage
from tests.doors.conftest import Rest, rest
from tests.support import samples

__all__ = ["rest"]

Phone = Callable[[User], httpx.Client]
LONG_AGO = timedelta(hours=25)
"""Longer than an upload that is never sent is kept."""


def begin(app: httpx.Client, data: bytes, filename: str, content_type: str, *, size: int | None = None) -> Any:
    """Begin an upload."""
    body = {"filename": filename, "content_type": content_type, "size": len(data) if size is None else size}
    return app.post("/media/uploads", json=body)


def put(form: dict[str, Any], data: bytes, **other: str) -> httpx.Response:
    """Post a file to the storage with the fields of an upload form, some of them altered."""
    return httpx.post(form["url"], data={**form["fields"], **other}, files={"file": ("file", data)}, timeout=30)


def upload(app: httpx.Client, data: bytes, filename: str = "a.jpg", content_type: str = "image/jpeg") -> dict[str, Any]:
    """Upload a file and complete it, as an app does; return the media, or the problem."""
    begun = begin(app, data, filename, content_type)
    assert begun.status_code == 201, begun.text
    begun_upload = begun.json()["data"]
    stored = put(begun_upload["upload"], data)
    assert stored.status_code == 204, stored.text
    answer = app.post(f"/media/{begun_upload['media']['id']}/complete").json()
    found: dict[str, Any] = answer.get("data", answer)
    return found


def download(app: httpx.Client, media: dict[str, Any], field: str = "url") -> httpx.Response:
    """Download the file that a media URL redirects to."""
    redirect = app.get(media[field].removeprefix("/api/v1"))
    assert redirect.status_code == 302, redirect.text
    return httpx.get(redirect.headers["Location"])


def send(app: httpx.Client, conversation: Conversation, *media: dict[str, Any], **fields: Any) -> httpx.Response:
    """Send a message with media."""
    ids = [each["id"] for each in media]
    return app.post("/messages", json={"conversation_id": str(conversation.pk), "media": ids, **fields})


def forward(app: httpx.Client, message: dict[str, Any], to: Conversation, **fields: Any) -> httpx.Response:
    """Forward a message to a conversation."""
    return app.post("/messages", json={"conversation_id": str(to.pk), "forward_of_id": message["id"], **fields})


def objects() -> list[str]:
    """Return the keys of all objects in the storage."""
    return [key for key, _ in media_storage().list_objects()]


@pytest.fixture(autouse=True)
def _an_empty_storage() -> Iterator[None]:
    # Tests elsewhere, such as those of the browser, leave objects behind.
    media_storage().delete_objects(objects())
    yield
    media_storage().delete_objects(objects())


@pytest.fixture
def phone(rest: Rest) -> Phone:
    """The app of a person; each person has one."""
    known: dict[Any, httpx.Client] = {}
    return lambda user: known.setdefault(user.pk, rest(user))


@pytest.fixture
def picture(phone: Phone, alice: User) -> dict[str, Any]:
    """A picture of Alice's that is ready."""
    return upload(phone(alice), samples.picture())


@pytest.fixture
def begun(phone: Phone, alice: User) -> dict[str, Any]:
    """An upload of a picture that Alice has begun."""
    shown: dict[str, Any] = begin(phone(alice), samples.picture(), "a.jpg", "image/jpeg").json()["data"]
    return shown


@pytest.fixture
def elsewhere(bob: User, mallory: User) -> Conversation:
    """The direct conversation of Bob and Mallory."""
    return start_direct(by=bob, to=mallory)[0]
