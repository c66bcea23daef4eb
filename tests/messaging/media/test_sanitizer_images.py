"""Pictures come out as they are seen: the right one, for as long, as often, as clear and as bright as it was."""

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from PIL import Image

from accounts.models import User
from messaging.media.sanitizer import avif
from messaging.media.sanitizer.result import Refusal
from tests.messaging.media.conftest import download, upload
from tests.messaging.media.examined import examined
from tests.support import samples
from tests.support.cases import case

Phone = Callable[[User], httpx.Client]
MOVING = ("GIF", "PNG", "WEBP", "AVIF")
LENGTHS = (100, 200, 300)
SIDE = 64
CLEAR = (0, 0, 0, 0)


def type_of(kind: str) -> str:
    return f"image/{kind.lower()}"


def moving(kind: str, *, loop: int | None = 0, lengths: Sequence[int] = LENGTHS) -> bytes:
    """A red tile that moves to the right, with nothing behind it."""
    frames = []
    for n in range(3):
        frame = Image.new("RGBA", (SIDE, SIDE), CLEAR)
        frame.paste("crimson", (16 * n, 8, 16 * n + 16, 40))
        frames.append(frame)
    how: dict[str, Any] = {} if loop is None or kind == "AVIF" else {"loop": loop}
    how |= {"disposal": 2} if kind == "GIF" else {}
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=list(lengths), **how)
    return avif.with_play_count(out.getvalue(), loop or 0) if kind == "AVIF" else out.getvalue()


def seen(data: bytes) -> list[tuple[float, list[int]]]:
    """How long each frame lasts, and how opaque it is at four places from left to right."""
    shown = []
    with Image.open(io.BytesIO(data)) as image:
        for n in range(image.n_frames):
            image.seek(n)
            image.load()
            alpha = image.convert("RGBA").getchannel("A")
            shown.append((image.info["duration"], [alpha.getpixel((16 * x + 8, 24)) for x in range(4)]))
    return shown


def times(kind: str, data: bytes) -> int | None:
    if kind == "AVIF":
        return avif.play_count(data)
    with Image.open(io.BytesIO(data)) as image:
        return image.info.get("loop")


# JPEG


@pytest.mark.parametrize("name", ["two-pictures.jpg", "jpeg-without-end-marker.jpg"])
def test_the_first_picture_of_a_jpeg_counts_and_its_end_may_be_missing(phone: Phone, alice: User, name: str) -> None:
    media = upload(phone(alice), case(name), name)
    with Image.open(io.BytesIO(case(name))) as wanted:
        assert (media["width"], media["height"]) == wanted.size
    with Image.open(io.BytesIO(download(phone(alice), media).content)) as copy:
        assert (copy.format, getattr(copy, "n_frames", 1)) == ("JPEG", 1)
    shown = phone(alice).patch("/users/me", json={"avatar_media_id": media["id"]}).json()["data"]
    assert shown["avatar_url"] == media["thumbnail_url"]


@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_jpeg_that_lacks_more_than_its_end_is_refused(kept: float) -> None:
    data = samples.picture()
    with pytest.raises(Refusal, match="damaged"):
        examined(data[: int(len(data) * kept)], "image/jpeg")


# What moves


@pytest.mark.parametrize("kind", MOVING)
def test_each_frame_lasts_as_long_and_covers_as_much_as_it_did(kind: str) -> None:
    copy = examined(moving(kind), type_of(kind)).copy
    clear = [[255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0]]
    assert seen(copy) == list(zip(LENGTHS, clear, strict=True))


def test_frames_of_the_case_last_as_long_as_they_did() -> None:
    with Image.open(io.BytesIO(examined(case("three-lengths.webp"), "image/webp").copy)) as image:
        lengths = []
        for n in range(image.n_frames):
            image.seek(n)
            image.load()
            lengths.append(image.info["duration"])
    assert lengths == [100, 200, 300]


@pytest.mark.parametrize(
    ("kind", "loop"), [*((kind, loop) for kind in MOVING for loop in (0, 3)), ("GIF", None), ("WEBP", 1), ("AVIF", 1)]
)
def test_it_plays_as_often_as_it_did(kind: str, loop: int | None) -> None:
    assert times(kind, examined(moving(kind, loop=loop), type_of(kind)).copy) == loop


def test_the_case_that_plays_once_plays_once() -> None:
    copy = examined(case("plays-once.gif"), "image/gif").copy
    assert b"NETSCAPE2.0" not in copy
    assert times("GIF", copy) is None


def colourful(disposal: int) -> bytes:
    """A GIF of three tiles beside each other, without a colour for what is see-through."""
    tile = Image.new("P", (16, 64), 1)
    tile.putpalette(bytes((0, 200, 0, 255, 0, 0)))
    out = io.BytesIO()
    tile.save(out, "GIF")
    data = out.getvalue()
    table, codes = data[13 : data.index(b"\x2c")], data[data.index(b"\x2c") + 10 : -1]
    frames = b"".join(
        b"\x21\xf9\x04" + struct.pack("<BHB", disposal << 2, 10, 0) + b"\0"
        b"\x2c" + struct.pack("<HHHHB", 16 * n, 0, 16, 64, 0) + codes
        for n in range(3)
    )
    return b"GIF89a" + struct.pack("<HH", SIDE, SIDE) + data[10:13] + table.partition(b"\x21")[0] + frames + b";"


# As browsers show it: without a colour for it, too, what no frame covers is see-through.
DISPOSED = {
    0: [[255, 0, 0, 0], [255, 255, 0, 0], [255, 255, 255, 0]],
    2: [[255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0]],
    3: [[255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0]],
}


@pytest.mark.parametrize("disposal", DISPOSED)
def test_pixels_that_no_frame_of_a_gif_covers_are_transparent(disposal: int) -> None:
    assert [alphas for _, alphas in seen(examined(colourful(disposal), "image/gif").copy)] == DISPOSED[disposal]


def test_the_fallback_picture_of_an_animated_png_is_not_in_the_animation() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), color) for color in ("navy", "teal")]
    cover = Image.new("RGB", (8, 8), "white")
    cover.save(out, "PNG", save_all=True, append_images=frames, default_image=True, duration=100)
    with Image.open(io.BytesIO(examined(out.getvalue(), "image/png").copy)) as image:
        assert (image.n_frames, image.convert("RGB").getpixel((0, 0))) == (2, (0, 0, 128))


# 16 bits


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def deep(values: Sequence[int], colour: int, *more: bytes) -> bytes:
    """A PNG of one row with 16 bits a channel."""
    width = len(values) // (3 if colour == 2 else 1)
    row = zlib.compress(b"\0" + struct.pack(f">{len(values)}H", *values))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, 16, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def test_grey_with_16_bits_keeps_its_brightness() -> None:
    copy = examined(deep([0, 0x4000, 0x8080, 0xC0C0, 0xFFFF], 0), "image/png").copy
    with Image.open(io.BytesIO(copy)) as image:
        assert [image.convert("L").getpixel((x, 0)) for x in range(5)] == [0, 64, 128, 192, 255]


@pytest.mark.parametrize(
    ("values", "colour", "clear", "alphas"),
    [
        ([0x8000, 0x8001, 0xFFFF], 0, [0x8000], [0, 255, 255]),
        ([0x8000] * 3 + [0xFFFF] * 3, 2, [0x8000] * 3, [0, 255]),
    ],
    ids=["grey", "colours"],
)
def test_transparency_with_16_bits_is_kept(values: list[int], colour: int, clear: list[int], alphas: list[int]) -> None:
    data = deep(values, colour, chunk(b"tRNS", struct.pack(f">{len(clear)}H", *clear)))
    with Image.open(io.BytesIO(examined(data, "image/png").copy)) as image:
        alpha = image.convert("RGBA").getchannel("A")
        assert [alpha.getpixel((x, 0)) for x in range(len(alphas))] == alphas


# What is no part of the picture


LARGE = zlib.compress(bytes(3 * 1024**2))


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"zTXt", b"Comment\0\0" + LARGE),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + LARGE),
        chunk(b"tEXt", b"Comment\0" + b"x" * 2 * 1024**2),
        chunk(b"iCCP", b"profile\0\0" + LARGE),
        chunk(b"iCCP", b"profile\0\0no zlib"),
        chunk(b"eXIf", b"no exif"),
    ],
    ids=lambda extra: extra[4:8].decode(),
)
def test_large_and_broken_texts_in_a_picture_are_dropped(extra: bytes) -> None:
    plain = deep([0, 0xFFFF], 0)
    copy = examined(plain[:33] + extra + plain[33:], "image/png").copy
    assert copy == examined(plain, "image/png").copy


def test_the_case_with_much_text_is_accepted() -> None:
    assert b"zTXt" not in examined(case("large-text-chunk.png"), "image/png").copy


# What is another picture than its name says


@pytest.mark.long
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize("declared", ["jpeg", "png", "webp"])
def test_a_picture_gets_its_detected_type(phone: Phone, alice: User, kind: str, declared: str) -> None:
    media = upload(phone(alice), samples.picture(kind), f"photo.{declared}", f"image/{declared}")
    got = download(phone(alice), media)
    assert (media["state"], media["content_type"], got.headers["Content-Type"]) == ("ready", *[type_of(kind)] * 2)
    ending = media["filename"].removeprefix("photo.")
    assert ending == {"JPEG": "jpeg" if declared == "jpeg" else "jpg"}.get(kind, kind.lower())
    with Image.open(io.BytesIO(got.content)) as image:
        assert image.format == kind


def test_a_webp_named_jpg_gets_the_right_extension(phone: Phone, alice: User) -> None:
    media = upload(phone(alice), case("webp-called-jpg.jpg"), "webp-called-jpg.jpg")
    assert (media["content_type"], media["filename"]) == ("image/webp", "webp-called-jpg.webp")
    assert download(phone(alice), media).headers["Content-Disposition"].endswith("webp-called-jpg.webp")
    assert phone(alice).get(f"/media/{media['id']}/state").json()["data"] == media
