"""Formats of media: what comes out of an upload of each, and which files are refused."""

import io
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
from PIL import Image

from accounts.models import User
from messaging.media.storage import media_storage
from messaging.models import Attachment
from tests.messaging.media.conftest import download, upload
from tests.support import samples
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


def test_an_animation_stays_an_animation(phone: Phone, alice: User) -> None:
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
def test_a_video_has_a_poster_and_loses_its_location(phone: Phone, alice: User, tmp_path: Path, form: str) -> None:
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
def test_a_file_is_downloaded_unchanged_as_an_attachment(
    phone: Phone, alice: User, name: str, content_type: str, data: bytes
) -> None:
    media = upload(phone(alice), data, name, content_type)
    got = download(phone(alice), media)
    assert (media["kind"], media["filename"], got.content) == ("file", name, data)
    assert got.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{name}"


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
def test_a_file_that_is_not_of_its_declared_type_is_refused_and_deleted(
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


def test_a_file_appended_to_a_picture_is_dropped(phone: Phone, alice: User) -> None:
    media = upload(phone(alice), samples.picture() + samples.archive())
    assert b"PK\x03\x04" not in download(phone(alice), media).content


@pytest.mark.parametrize("frames", [partial(samples.moving_picture, 501), samples.huge_moving_picture])
def test_an_animation_that_is_too_long_is_refused(phone: Phone, alice: User, frames: Callable[[], bytes]) -> None:
    answer = upload(phone(alice), frames(), "a.gif", "image/gif")
    assert (answer["status"], answer["detail"]) == (422, "This moving picture is too long.")
