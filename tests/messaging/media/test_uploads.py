"""Uploads: what is refused before the first byte, and how an upload is completed."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from accounts.models import User
from chatproject.core.errors import Unavailable
from chatproject.core.rate_limits import RateLimited
from messaging.media.storage import MediaStorage
from messaging.media.uploads import begin_upload, complete_upload
from messaging.models import Attachment
from tests.messaging.media.conftest import begin, download, put
from tests.support import samples
from tests.support.client import Client

Phone = Callable[[User], httpx.Client]
App = Callable[[User], Awaitable[Client]]


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"content_type": "text/html"}, 415, "unsupported_media", "/content_type"),
        ({"content_type": "image/svg+xml"}, 415, "unsupported_media", "/content_type"),
        ({"content_type": "application/x-msdownload"}, 415, "unsupported_media", "/content_type"),
        ({"content_type": "application/vnd.ms-excel", "filename": "a.xls"}, 415, "unsupported_media", "/content_type"),
        ({"content_type": "application/vnd.ms-excel"}, 415, "unsupported_media", "/content_type"),
        ({"content_type": ""}, 400, "invalid", "/content_type"),
        ({"size": 31 * 1024**2}, 413, "too_large", "/size"),
        ({"size": 101 * 1024**2, "content_type": "video/mp4"}, 413, "too_large", "/size"),
        ({"size": 0}, 400, "invalid", "/size"),
        ({"size": -1}, 400, "invalid", "/size"),
        ({"filename": ""}, 400, "invalid", "/filename"),
        ({"filename": "../"}, 400, "invalid", "/filename"),
        ({"filename": "a\u202egpj.exe"}, 400, "invalid", "/filename"),
        ({"filename": "x" * 300}, 400, "invalid", "/filename"),
    ],
)
def test_files_that_may_not_be_sent_are_refused_before_the_upload(
    phone: Phone, alice: User, body: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    answer = phone(alice).post("/media/uploads", json={"filename": "a", "content_type": "image/png", "size": 9} | body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("photo", "photo.png"),
        ("evil.exe", "evil.exe.png"),
        ("photo.jpg", "photo.png"),
        ("C:\\a\\b.PNG", "b.PNG"),
        ("/etc/passwd", "passwd.png"),
        ("x" * 255, "x" * 251 + ".png"),
    ],
)
def test_a_filename_has_no_path_and_the_extension_of_its_type(
    phone: Phone, alice: User, filename: str, shown: str
) -> None:
    assert begin(phone(alice), b"x", filename, "image/png").json()["data"]["media"]["filename"] == shown


def test_completing_before_the_upload_is_refused_and_possible_after_it(phone: Phone, begun: Any, alice: User) -> None:
    complete = f"/media/{begun['media']['id']}/complete"
    answer = phone(alice).post(complete)
    assert (answer.status_code, answer.json()["detail"]) == (422, "Nothing was uploaded.")
    put(begun["upload"], samples.picture())
    first, again = (phone(alice).post(complete) for _ in range(2))
    assert first.json()["data"] == again.json()["data"]


def test_uploading_again_does_not_change_the_downloaded_file(phone: Phone, begun: Any, alice: User) -> None:
    data = samples.picture()
    put(begun["upload"], data)
    media = phone(alice).post(f"/media/{begun['media']['id']}/complete").json()["data"]
    before = download(phone(alice), media).content
    other = samples.picture(color="crimson")
    put(begun["upload"], other.ljust(len(data), b"\0")[: len(data)])
    assert phone(alice).post(f"/media/{begun['media']['id']}/complete").json()["data"] == media
    assert download(phone(alice), media).content == before


def test_an_upload_belongs_to_its_owner_alone(phone: Phone, begun: Any, alice: User, bob: User) -> None:
    put(begun["upload"], samples.picture())
    id = begun["media"]["id"]
    for call in (f"POST /media/{id}/complete", f"GET /media/{id}/state", f"GET /media/{id}"):
        assert phone(bob).request(*call.split()).status_code == 404
    assert phone(alice).get(f"/media/{id}").status_code == 404


def test_a_person_uploads_at_most_a_quota_of_bytes_a_day(alice: User, settings: Any) -> None:
    settings.CHAT_LIMITS, settings.UPLOAD_BYTES_A_DAY = True, 10 * 1024**2
    ask = {"by": alice, "filename": "a.mp4", "content_type": "video/mp4"}
    begin_upload(**ask, size=8 * 1024**2)
    with pytest.raises(RateLimited):
        begin_upload(**ask, size=4 * 1024**2)
    begin_upload(**ask, size=1 * 1024**2)


def test_while_the_storage_does_not_answer_nothing_is_lost(
    begun: Any, alice: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    put(begun["upload"], samples.picture())
    options = {**settings.STORAGES["default"]["OPTIONS"], "endpoint_url": "http://127.0.0.1:9"}
    id = UUID(begun["media"]["id"])
    with monkeypatch.context() as away:
        for place in ("messaging.media.uploads.media_storage", "messaging.media.processing.media_storage"):
            away.setattr(place, lambda: MediaStorage(**options))
        with pytest.raises(Unavailable) as refusal:
            complete_upload(by=alice, media_id=id)
        assert refusal.value.status == 503
    assert complete_upload(by=alice, media_id=id)["state"] == "ready"
