"""Film and sound: what has no picture is sound, what has nothing is refused, and odd times break nothing."""

import io
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import av
import httpx
import pytest
from PIL import Image

from accounts.models import User
from messaging.media.sanitizer.result import Refusal
from messaging.models import Attachment
from tests.messaging.media.conftest import download, upload
from tests.messaging.media.examined import examined
from tests.support import samples
from tests.support.cases import case

Phone = Callable[[User], httpx.Client]


@pytest.mark.parametrize(
    ("name", "content_type", "right", "renamed"),
    [
        ("sound-only.mp4", "video/mp4", "audio/mp4", "sound-only.m4a"),
        ("sound-only.mp4", "video/quicktime", "audio/mp4", "sound-only.m4a"),
        ("sound-only.webm", "video/webm", "audio/webm", "sound-only.webm"),
    ],
)
def test_a_film_without_a_picture_is_a_sound(
    phone: Phone, alice: User, name: str, content_type: str, right: str, renamed: str
) -> None:
    media = upload(phone(alice), case(name), name, content_type)
    assert (media["state"], media["kind"], media["content_type"]) == ("ready", "audio", right)
    assert (media["filename"], media["thumbnail_url"], len(media["waveform"])) == (renamed, None, 64)
    assert media["duration"] == pytest.approx(1, abs=0.1)
    got = download(phone(alice), media)
    assert got.headers["Content-Type"] == right
    assert examined(got.content, right).found.duration == pytest.approx(1, abs=0.1)


def test_a_cover_is_no_picture_of_a_film(tmp_path: Path) -> None:
    path, plain = tmp_path / "cover.mp4", io.BytesIO(samples.sound(tmp_path, "mp4", codec="aac"))
    with av.open(plain) as sound, av.open(str(path), "w", format="mp4") as out:
        (stream,) = sound.streams.audio
        copied, cover = out.add_stream_from_template(stream), out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        for packet in sound.demux(stream):
            if packet.dts is not None:
                packet.stream = copied
                out.mux(packet)
        out.mux(cover.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 64), "teal"))))
        out.mux(cover.encode())
    assert examined(path.read_bytes(), "video/mp4").found.content_type == "audio/mp4"


@pytest.mark.parametrize(("name", "content_type"), [("no-samples.wav", "audio/wav"), ("no-samples.flac", "audio/flac")])
def test_a_sound_without_a_sample_is_refused(phone: Phone, alice: User, name: str, content_type: str) -> None:
    answer = upload(phone(alice), case(name), name, content_type)
    assert (answer["status"], answer["detail"]) == (422, "There is no sound in this file.")
    attachment = Attachment.objects.get()
    again = phone(alice).post(f"/media/{attachment.pk}/complete")
    assert (attachment.state, again.status_code, again.json()["detail"]) == ("rejected", 422, answer["detail"])


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return samples.film(tmp_path_factory.mktemp("film"), "mp4", seconds=0.5)


@pytest.mark.parametrize("name", [b"mvhd", b"tkhd", b"mdhd", b"stts", b"elst", b"ctts"])
@pytest.mark.parametrize("value", [0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF])
@pytest.mark.long
def test_an_mp4_with_odd_times_ends_in_a_film_or_a_sentence(film: bytes, name: bytes, value: int) -> None:
    """Each of the first words of a box is written otherwise in turn."""
    if name not in film:
        pytest.skip("this film has no such box")
    at = film.index(name) + 8
    for offset in (4, 8, 12, 16):
        odd = bytearray(film)
        struct.pack_into(">I", odd, at + offset, value)
        with suppress(Refusal):
            assert examined(bytes(odd), "video/mp4").found.content_type in {"video/mp4", "audio/mp4"}
