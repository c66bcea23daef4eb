"""Uploads past us: what the storage refuses by itself, what is refused when it is looked at, and what comes of it."""

import ast
import io
import os
import subprocess
import sys
import zlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from asgiref.sync import sync_to_async
from PIL import Image
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from chatproject.core.errors import Unavailable
from chatproject.core.rate_limits import RateLimited
from messaging.jobs import look_at_next
from messaging.media.accepted_types import ACCEPTED_TYPES
from messaging.media.processing import process
from messaging.media.storage import MediaStorage, media_storage
from messaging.media.type_detection import HEAD_BYTES, head_matches
from messaging.media.uploads import begin_upload, complete_upload, upload_state
from messaging.models import Attachment
from tests.messaging.media.conftest import begin, download, put, upload
from tests.support import samples
from tests.support.cases import case
from tests.support.client import Client

Phone = Callable[[User], httpx.Client]
App = Callable[[User], Awaitable[Client]]
KINDS = {"JPEG": ("a.jpg", "image/jpeg"), "PNG": ("a.png", "image/png"), "WEBP": ("a.webp", "image/webp")}
KINDS |= {"AVIF": ("a.avif", "image/avif"), "GIF": ("a.gif", "image/gif")}
FILMS = {
    "mp4": ("video/mp4", ("libx264", "aac")),
    "mov": ("video/quicktime", ("libx264", "aac")),
    "webm": ("video/webm", ("libvpx-vp9", "libopus")),
}
SOUNDS = {
    "mp3": ("audio/mpeg", "mp3", "libmp3lame"),
    "m4a": ("audio/mp4", "ipod", "aac"),
    "ogg": ("audio/ogg", "ogg", "libopus"),
    "weba": ("audio/webm", "webm", "libopus"),
    "wav": ("audio/wav", "wav", "pcm_s16le"),
    "flac": ("audio/flac", "flac", "flac"),
}


@pytest.fixture
def offer(phone: Phone, alice: User) -> dict[str, Any]:
    """A place for a picture of Alice's."""
    shown: dict[str, Any] = begin(phone(alice), samples.picture(), "a.jpg", "image/jpeg").json()["data"]
    return shown


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_comes_out_upright_and_without_metadata(phone: Phone, alice: User, kind: str) -> None:
    media = upload(phone(alice), samples.picture(kind), *KINDS[kind])
    wanted = (640, 480) if kind == "GIF" else (480, 640)
    assert (media["state"], media["kind"], (media["width"], media["height"])) == ("ready", "image", wanted)
    assert len(media["blurhash"]) > 8
    got = download(phone(alice), media)
    assert len(got.content) == media["size"]
    assert got.headers["Content-Type"] == KINDS[kind][1]
    assert got.headers["Content-Disposition"].startswith("inline")
    assert not any(secret in got.content for secret in samples.SECRETS)
    image = Image.open(io.BytesIO(got.content))
    assert (image.format, image.size, dict(image.getexif())) == (kind, wanted, {})


def test_a_moving_picture_still_moves(phone: Phone, alice: User) -> None:
    media = upload(phone(alice), samples.moving_picture(), "a.gif", "image/gif")
    image = Image.open(io.BytesIO(download(phone(alice), media).content))
    assert (image.n_frames, image.info["duration"], image.info["loop"]) == (6, 80, 0)
    assert "comment" not in image.info


def test_a_thumbnail_is_small(phone: Phone, alice: User) -> None:
    media = upload(phone(alice), samples.picture(size=(3000, 2000)))
    small = Image.open(io.BytesIO(download(phone(alice), media, "thumbnail_url").content))
    assert (small.format, small.size) == ("WEBP", (341, 512))


@pytest.mark.long
@pytest.mark.parametrize("form", FILMS)
def test_a_film_has_a_poster_and_loses_where_it_was_taken(phone: Phone, alice: User, tmp_path: Path, form: str) -> None:
    content_type, codecs = FILMS[form]
    media = upload(phone(alice), samples.film(tmp_path, form, codecs=codecs), f"a.{form}", content_type)
    assert (media["state"], media["kind"], media["width"], media["height"]) == ("ready", "video", 320, 240)
    assert media["duration"] == pytest.approx(2, abs=0.1)
    got = download(phone(alice), media)
    assert not any(secret in got.content for secret in samples.SECRETS)
    assert got.headers["Content-Disposition"].startswith("attachment" if form == "mov" else "inline")
    assert Image.open(io.BytesIO(download(phone(alice), media, "thumbnail_url").content)).size == (320, 240)


@pytest.mark.long
@pytest.mark.parametrize("form", SOUNDS)
def test_a_sound_has_its_length_and_shape(phone: Phone, alice: User, tmp_path: Path, form: str) -> None:
    content_type, written, codec = SOUNDS[form]
    media = upload(phone(alice), samples.sound(tmp_path, written, codec=codec), f"a.{form}", content_type)
    assert (media["state"], media["kind"], media["thumbnail_url"]) == ("ready", "audio", None)
    assert media["duration"] == pytest.approx(2, abs=0.1)
    wave = media["waveform"]
    assert (len(wave), max(wave)) == (64, 100)
    assert wave[8] < wave[32] < wave[56]
    assert not any(secret in download(phone(alice), media).content for secret in samples.SECRETS)


@pytest.mark.parametrize(
    ("name", "content_type", "data"),
    [
        ("a.pdf", "application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"),
        ("a.txt", "text/plain; charset=utf-8", "Grüße".encode()),
        ("a.json", "application/json", b'{"a": 1}'),
        ("a.zip", "application/zip", samples.archive()),
        ("a.odt", "application/vnd.oasis.opendocument.text", samples.archive()),
    ],
)
def test_a_file_comes_as_it_is_and_to_be_saved(
    phone: Phone, alice: User, name: str, content_type: str, data: bytes
) -> None:
    media = upload(phone(alice), data, name, content_type)
    got = download(phone(alice), media)
    assert (media["kind"], media["filename"], got.content) == ("file", name, data)
    assert got.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{name}"


GREETING = "Name;Größe\r\nJürgen;1\r\n"
JAPANESE = "名前,大きさ\r\n太郎,1\r\n"
RUSSIAN = "Имя;Размер\r\nИван;1\r\n"
ENCODED = [(GREETING, name) for name in ("utf-8", "utf-8-sig", "cp1252", "latin-1", "cp850", "mac-roman", "utf-7")]
ENCODED += [(JAPANESE, name) for name in ("shift-jis", "euc-jp", "iso-2022-jp", "utf-16-le", "utf-16-be", "gb18030")]
ENCODED += [(RUSSIAN, name) for name in ("utf-16", "utf-32", "utf-32-be", "cp1251", "koi8-r")]


@pytest.mark.parametrize(("text", "encoding"), ENCODED, ids=lambda value: value if len(value) < 12 else "")
@pytest.mark.parametrize("times", [1, 1000], ids=["short", "long"])
def test_text_is_text_in_any_encoding(text: str, encoding: str, times: int) -> None:
    for cut in range(3):
        # Wherever the head ends.
        head = ("x" * cut + text * times).encode(encoding)[:HEAD_BYTES]
        assert head_matches(ACCEPTED_TYPES["text/csv"], head)


@pytest.mark.parametrize(
    "data",
    [
        Path("/bin/true").read_bytes(),
        samples.archive(),
        samples.picture("PNG"),
        samples.picture("JPEG"),
        samples.moving_picture(),
        zlib.compress(bytes(range(256)) * 40),
        "Grüße".encode("cp1252") + bytes(3),
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    ],
    ids=["program", "zip", "png", "jpeg", "gif", "packed", "nul", "pdf"],
)
def test_what_is_no_text_is_none_in_any_encoding(data: bytes) -> None:
    assert not head_matches(ACCEPTED_TYPES["text/plain"], data[:HEAD_BYTES])


@pytest.mark.parametrize(
    ("name", "declared", "right"),
    [
        ("table.csv", "application/vnd.ms-excel", "text/csv"),
        ("table.CSV", "Application/vnd.ms-excel; charset=x", "text/csv"),
        ("table.csv", "text/plain", "text/csv"),
        ("table.csv", "application/csv", "text/csv"),
        ("notes.txt", "application/vnd.ms-excel", "text/plain"),
        ("notes.md", "text/plain", "text/markdown"),
        ("data.json", "text/plain", "application/json"),
        ("table.csv.txt", "text/plain", "text/plain"),
    ],
)
def test_the_ending_decides_which_text_it_is(phone: Phone, alice: User, name: str, declared: str, right: str) -> None:
    media = upload(phone(alice), case("table-windows-1252.csv"), name, declared)
    got = download(phone(alice), media)
    assert (media["content_type"], media["filename"], got.headers["Content-Type"]) == (right, name, right)
    assert got.content == case("table-windows-1252.csv")
    assert got.headers["Content-Disposition"].startswith("attachment;")


# What is refused before a byte moves


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
def test_what_may_not_be_sent_is_refused_at_once(
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
def test_a_name_has_no_path_and_the_ending_of_its_type(phone: Phone, alice: User, filename: str, shown: str) -> None:
    assert begin(phone(alice), b"x", filename, "image/png").json()["data"]["media"]["filename"] == shown


# What the storage refuses by itself


def test_the_storage_takes_what_was_agreed(offer: dict[str, Any]) -> None:
    assert put(offer["upload"], samples.picture()).status_code == 204


@pytest.mark.parametrize(
    "other",
    [
        {"key": "uploads/another"},
        {"Content-Type": "text/html"},
        {"x-amz-signature": "0" * 64},
        {"policy": "e30="},
        {"x-amz-credential": "somebody/20260101/us-east-1/s3/aws4_request"},
        {"x-amz-acl": "public-read"},
        {"success_action_redirect": "https://evil.example/"},
    ],
)
def test_the_storage_refuses_another_key_type_or_signature(offer: dict[str, Any], other: dict[str, str]) -> None:
    assert put(offer["upload"], samples.picture(), **other).status_code in {400, 403}


# Of two fields whose names differ by case, the storage takes one: the policy allows the empty one alone.
@pytest.mark.parametrize("name", ["redirect", "success_action_redirect ", "Success_Action_Redirect"])
def test_the_storage_sends_nobody_elsewhere(offer: dict[str, Any], name: str) -> None:
    assert "Location" not in put(offer["upload"], samples.picture(), **{name: "https://evil.example/"}).headers


@pytest.mark.parametrize("data", [samples.picture() + b"x", samples.picture()[:-1], b""], ids=["more", "less", "none"])
def test_the_storage_refuses_another_size(offer: dict[str, Any], data: bytes) -> None:
    assert put(offer["upload"], data).status_code in {400, 403}


def test_the_storage_refuses_what_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.media.storage.UPLOAD_URL_SECONDS", -10)
    late = media_storage().presign_upload("uploads/late", content_type="image/png", size=1)
    assert put({**late}, b"x").status_code in {400, 403}


# What is refused when it is looked at


@pytest.mark.parametrize(
    ("data", "name", "content_type"),
    [
        (Path("/bin/true").read_bytes(), "a.png", "image/png"),
        (Path("/bin/true").read_bytes(), "a.mp3", "audio/mpeg"),
        (Path("/bin/true").read_bytes(), "a.mp4", "video/mp4"),
        (Path("/bin/true").read_bytes(), "a.txt", "text/plain"),
        (Path("/bin/true").read_bytes(), "a.pdf", "application/pdf"),
        (b"MZ\x90\0" + bytes(900), "a.zip", "application/zip"),
        (samples.picture("PNG")[:-300], "a.png", "image/png"),
        (b"\x89PNG\r\n\x1a\n" + b"<script>alert(1)</script>" * 9, "a.png", "image/png"),
        (b"<html><script>alert(1)</script></html>", "a.jpg", "image/jpeg"),
        (samples.bomb(), "a.png", "image/png"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_what_it_says_is_refused_and_gone(
    phone: Phone, alice: User, data: bytes, name: str, content_type: str
) -> None:
    answer = upload(phone(alice), data, name, content_type)
    assert (answer["status"], answer["code"]) == (422, "unprocessable")
    attachment = Attachment.objects.get()
    assert answer["detail"] == attachment.reason
    assert list(media_storage().list_objects()) == []
    state = phone(alice).get(f"/media/{attachment.pk}/state").json()["data"]
    assert (state["state"], state["reason"], state["url"]) == ("rejected", attachment.reason, None)
    again = phone(alice).post(f"/media/{attachment.pk}/complete")
    assert (again.status_code, again.json()["detail"]) == (422, attachment.reason)


def test_two_files_in_one_come_out_as_the_one(phone: Phone, alice: User) -> None:
    media = upload(phone(alice), samples.picture() + samples.archive())
    assert b"PK\x03\x04" not in download(phone(alice), media).content


def test_completing_what_was_not_uploaded_is_refused_and_may_come_later(phone: Phone, offer: Any, alice: User) -> None:
    complete = f"/media/{offer['media']['id']}/complete"
    answer = phone(alice).post(complete)
    assert (answer.status_code, answer.json()["detail"]) == (422, "Nothing was uploaded.")
    put(offer["upload"], samples.picture())
    first, again = (phone(alice).post(complete) for _ in range(2))
    assert first.json()["data"] == again.json()["data"]


def test_uploading_once_more_changes_nothing_that_anyone_gets(phone: Phone, offer: Any, alice: User) -> None:
    data = samples.picture()
    put(offer["upload"], data)
    media = phone(alice).post(f"/media/{offer['media']['id']}/complete").json()["data"]
    before = download(phone(alice), media).content
    other = samples.picture(color="crimson")
    put(offer["upload"], other.ljust(len(data), b"\0")[: len(data)])
    assert phone(alice).post(f"/media/{offer['media']['id']}/complete").json()["data"] == media
    assert download(phone(alice), media).content == before


def test_an_upload_is_its_owners_alone(phone: Phone, offer: Any, alice: User, bob: User) -> None:
    put(offer["upload"], samples.picture())
    id = offer["media"]["id"]
    for call in (f"POST /media/{id}/complete", f"GET /media/{id}/state", f"GET /media/{id}"):
        assert phone(bob).request(*call.split()).status_code == 404
    assert phone(alice).get(f"/media/{id}").status_code == 404


# What takes long


async def test_what_is_large_is_looked_at_by_a_job_and_its_owner_hears_of_it(
    app: App, phone: Phone, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.media.processing.INLINE_BYTES", 10)

    def complete() -> Any:
        data = samples.picture()
        said = begin(phone(alice), data, "a.jpg", "image/jpeg").json()["data"]
        put(said["upload"], data)
        return complete_upload(by=alice, media_id=UUID(said["media"]["id"]))

    async with (await app(alice)).socket() as mine, (await app(bob)).socket() as theirs:
        shown = await sync_to_async(complete)()
        assert (shown["state"], shown["url"]) == ("processing", None)
        (job,) = [job async for job in ProcrastinateJob.objects.filter(task_name="messaging.jobs.look_at_next")]
        assert (job.queue_name, job.args) == ("media", {})
        await sync_to_async(look_at_next)()
        heard = await mine.next("media.updated")
        assert (heard["id"], heard["state"], heard["width"]) == (shown["id"], "ready", 480)
        assert await theirs.silence("media.updated")
        await sync_to_async(process)(UUID(shown["id"]))


@pytest.mark.parametrize("is_moved", [False, True])
def test_a_look_that_was_cut_short_is_taken_up_again(phone: Phone, offer: Any, alice: User, is_moved: bool) -> None:
    """A process has died before or behind the moving of the bytes, and nothing was said of them."""
    put(offer["upload"], samples.picture())
    attachment, storage = Attachment.objects.get(), media_storage()
    attachment.state, attachment.key = Attachment.State.PROCESSING, "media/elsewhere"
    attachment.save()
    if is_moved:
        storage.copy_object(attachment.upload_key, attachment.key, content_type="image/jpeg")
        storage.delete_objects([attachment.upload_key])
    process(attachment.pk)
    assert download(phone(alice), upload_state(by=alice, media_id=attachment.pk)).status_code == 200


def test_a_day_has_so_many_bytes(alice: User, settings: Any) -> None:
    settings.CHAT_LIMITS, settings.UPLOAD_BYTES_A_DAY = True, 10 * 1024**2
    ask = {"by": alice, "filename": "a.mp4", "content_type": "video/mp4"}
    begin_upload(**ask, size=8 * 1024**2)
    with pytest.raises(RateLimited):
        begin_upload(**ask, size=4 * 1024**2)
    begin_upload(**ask, size=1 * 1024**2)


def test_while_the_storage_does_not_answer_nothing_is_lost(
    offer: Any, alice: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    put(offer["upload"], samples.picture())
    options = {**settings.STORAGES["default"]["OPTIONS"], "endpoint_url": "http://127.0.0.1:9"}
    id = UUID(offer["media"]["id"])
    with monkeypatch.context() as away:
        for place in ("messaging.media.uploads.media_storage", "messaging.media.processing.media_storage"):
            away.setattr(place, lambda: MediaStorage(**options))
        with pytest.raises(Unavailable) as refusal:
            complete_upload(by=alice, media_id=id)
        assert refusal.value.status == 503
    assert complete_upload(by=alice, media_id=id)["state"] == "ready"


def test_pages_may_reach_the_storage_by_its_outer_name_and_nothing_else() -> None:
    known = {**os.environ, "S3_PUBLIC_ENDPOINT_URL": "https://media.chat.example/there"}
    ask = "from chatproject.settings import CONTENT_SECURITY_POLICY as p; print(p['DIRECTIVES'])"
    said = subprocess.run([sys.executable, "-c", ask], env=known, capture_output=True, text=True, check=True).stdout
    rules = ast.literal_eval(said)
    for name in ("img-src", "media-src", "connect-src"):
        assert [each for each in rules[name] if "//" in each] == ["https://media.chat.example"]
    assert rules["default-src"] == ["'self'"]


@pytest.mark.parametrize("frames", [partial(samples.moving_picture, 501), samples.huge_moving_picture])
def test_a_moving_picture_that_is_too_long_is_refused(phone: Phone, alice: User, frames: Callable[[], bytes]) -> None:
    answer = upload(phone(alice), frames(), "a.gif", "image/gif")
    assert (answer["status"], answer["detail"]) == (422, "This moving picture is too long.")
