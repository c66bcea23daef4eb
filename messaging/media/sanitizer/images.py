"""Pictures: written anew from their pixels, so that nothing else of the file is left."""

import io
import struct
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import blurhash  # type: ignore[import-untyped]
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageSequence, JpegImagePlugin

from messaging.media.sanitizer import avif
from messaging.media.sanitizer.gif import parse_gif
from messaging.media.sanitizer.png import without_words
from messaging.media.sanitizer.result import THUMBNAIL_SIDE, Finding, Refusal

PIXELS_MOST = 33_000_000
FRAMES_MOST = 500
PIXELS_MOVING_MOST = 120_000_000
"""Of all frames together, which are held at once."""
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP", "image/avif": "AVIF"}
HOW: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90, "progressive": True},
    "WEBP": {"quality": 90},
    "AVIF": {"quality": 80},
}
FAULTS = (
    *(OSError, SyntaxError, ValueError, MemoryError, EOFError, LookupError, TypeError, ArithmeticError, struct.error),
    Image.DecompressionBombError,
)
"""What decoders raise where bytes make no sense."""
SRGB = ImageCms.createProfile("sRGB")
BLUR_SIDE = 32
OPAQUE = (255, 255)
"""The least and the most of a channel."""
JPEG_END = b"\xff\xd9"
JPEG_FILLING = b"\x55" * 4096
"""Codes of some picture or other."""
GIF_COLOURS = 255
"""One of 256 is kept for what is see-through."""
GIF_TO_BACKGROUND = 2
WEBP_FLAGS, WEBP_MOVES, WEBP_IS_CLEAR = 20, 0x02, 0x10

# What Pillow would load when it needs it, which is when no more code can be read.
Image.preinit()
for name in ("AvifImagePlugin", "TiffImagePlugin", "WebPImagePlugin"):
    import_module(f"PIL.{name}")


@dataclass(frozen=True, slots=True)
class Picture:
    """What is to be seen: the frames, of how many milliseconds each, and how often; None is once, 0 without end."""

    frames: Sequence[Image.Image]
    durations: Sequence[float] = field(default=())
    loop: int | None = None


def examine_picture(content_type: str, source: Path, *, copy: Path, thumbnail: Path) -> Finding:
    """Check a picture, and write it without anything but its pixels; Refusal for what is none, or too large."""
    kind = FORMATS[content_type]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = READERS.get(kind, _read)(source.read_bytes(), kind)
    except Refusal:
        raise
    except FAULTS as error:
        raise Refusal("This file is damaged, or no picture of this kind.") from error
    _write(picture, copy, format=kind)
    first = picture.frames[0]
    write_thumbnail(first, thumbnail)
    return Finding(content_type, width=first.width, height=first.height, blurhash=blur(first))


def _read(data: bytes, kind: str) -> Picture:
    """Decode all frames of a picture."""
    with Image.open(io.BytesIO(data), formats=[kind]) as image:
        count = getattr(image, "n_frames", 1)
        _require_room(image.width * image.height, count=count)
        if count == 1:
            return Picture([_plain(image)])
        frames, durations = [], []
        for frame in ImageSequence.Iterator(image):
            # Some decoders know only then how long it lasts.
            frame.load()
            frames.append(_plain(frame))
            durations.append(frame.info.get("duration", 0))
        # What a moving PNG shows to programs that know no moving ones is no part of what moves.
        skipped = int(getattr(image, "default_image", False))
        return Picture(frames[skipped:], durations[skipped:], image.info.get("loop"))


def _read_png(data: bytes, kind: str) -> Picture:
    return _read(without_words(data), kind)


def _read_gif(data: bytes, kind: str) -> Picture:
    """Decode all frames of a GIF."""
    gif = parse_gif(data)
    area = max([gif.width * gif.height, *(frame.width * frame.height for frame in gif.frames)])
    _require_room(area, count=len(gif.frames))
    durations = [frame.milliseconds for frame in gif.frames]
    return Picture([_plain(picture) for picture in gif.pictures()], durations, gif.loop)


def _read_webp(data: bytes, kind: str) -> Picture:
    return _read(_marked_as_clear(data), kind)


def _marked_as_clear(data: bytes) -> bytes:
    """Mark a moving WebP as one with see-through places: it may have them around frames that have none."""
    if data[12:16] != b"VP8X" or not data[WEBP_FLAGS] & WEBP_MOVES:
        return data
    return data[:WEBP_FLAGS] + bytes([data[WEBP_FLAGS] | WEBP_IS_CLEAR]) + data[WEBP_FLAGS + 1 :]


def _read_avif(data: bytes, kind: str) -> Picture:
    picture = _read(data, kind)
    return Picture(picture.frames, picture.durations, avif.times_played(data))


def _read_jpeg(data: bytes, kind: str) -> Picture:
    """Decode the first picture of a JPEG, whether or not there are more; its end marker may be missing."""
    try:
        return Picture([_first_of(data)])
    except OSError:
        ended, filled = _first_of(data + JPEG_END), _first_of(data + JPEG_FILLING + JPEG_END)
        # Where more is missing than the marker, it makes a difference what follows.
        if ended.tobytes() != filled.tobytes():
            raise
        return Picture([ended])


def _first_of(data: bytes) -> Image.Image:
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        _require_room(image.width * image.height)
        return _plain(image)


READERS = {"GIF": _read_gif, "PNG": _read_png, "WEBP": _read_webp, "AVIF": _read_avif, "JPEG": _read_jpeg}


def _require_room(pixels: int, *, count: int = 1) -> None:
    """Refuse so many frames of so many pixels before any of them is decoded, if they are too much."""
    if pixels > PIXELS_MOST:
        raise Refusal(f"This picture is too large: at most {PIXELS_MOST // 1_000_000} megapixels.")
    if count > FRAMES_MOST or (count > 1 and pixels * count > PIXELS_MOVING_MOST):
        raise Refusal("This moving picture is too long.")


def _plain(frame: Image.Image) -> Image.Image:
    """The pixels as they are to be seen: upright, in the colours of all screens, with 8 bits."""
    upright = _eight_bits(_upright(frame))
    plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    profile = upright.info.get("icc_profile")
    if profile and upright.mode in {"RGB", "RGBA"}:
        # A profile that makes no sense leaves the colours as they are.
        with suppress(ImageCms.PyCMSError, OSError):
            plain = ImageCms.profileToProfile(plain, ImageCms.ImageCmsProfile(io.BytesIO(profile)), SRGB) or plain
    plain.info = {}
    return plain.convert("RGB") if plain.mode == "RGBA" and plain.getchannel("A").getextrema() == OPAQUE else plain


def _upright(frame: Image.Image) -> Image.Image:
    """Turn a picture as its metadata ask; those that make no sense leave it as it is."""
    frame.load()
    try:
        return ImageOps.exif_transpose(frame)
    except FAULTS:
        return frame.copy()


def _eight_bits(image: Image.Image) -> Image.Image:
    """Of grey with 16 bits keep the upper 8, rather than have all that is not nearly black become white."""
    if not image.mode.startswith("I;16"):
        return image
    high, low = (_bytes_of(image, at) for at in (1, 0))
    clear = image.info.get("transparency")
    if clear is not None:
        other = ImageChops.lighter(_differs(high, clear >> 8), _differs(low, clear & 255))
        high = Image.merge("LA", (high, other))
    high.info = {"icc_profile": image.info.get("icc_profile")}
    return high


def _bytes_of(image: Image.Image, at: int) -> Image.Image:
    """One of the two bytes of each value, the lower one first."""
    return Image.frombytes("L", image.size, image.tobytes("raw", "I;16")[at::2])


def _differs(image: Image.Image, value: int) -> Image.Image:
    return image.point([0 if each == value else 255 for each in range(256)])


def _write(picture: Picture, copy: Path, *, format: str) -> None:
    first, *others = _alike(picture.frames, format)
    how = HOW.get(format, {})
    if not others:
        first.save(copy, format=format, **how)
        return
    how = how | {"save_all": True, "append_images": others, "duration": list(picture.durations)}
    if format == "GIF":
        # A frame can't take away what is behind it, but for all of it.
        how |= {"disposal": GIF_TO_BACKGROUND} if "transparency" in first.info else {}
    if picture.loop is not None:
        how["loop"] = picture.loop
    first.save(copy, format=format, **how)
    if format == "AVIF":
        _change(copy, lambda data: avif.with_times(data, picture.loop or 0))
    if format == "WEBP" and first.mode == "RGBA":
        _change(copy, _marked_as_clear)


def _alike(frames: Sequence[Image.Image], format: str) -> list[Image.Image]:
    """The frames in one mode that the format has."""
    has_alpha = any(frame.mode == "RGBA" for frame in frames)
    if format == "JPEG" or not has_alpha:
        return [frame.convert("RGB") for frame in frames]
    return [_indexed(frame) if format == "GIF" else frame.convert("RGBA") for frame in frames]


def _indexed(frame: Image.Image) -> Image.Image:
    """A frame with see-through places in the colours of a GIF: the last of them is no colour."""
    clear = frame.convert("RGBA").getchannel("A").point([255] * 128 + [0] * 128)
    indexed = frame.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=GIF_COLOURS)
    indexed.paste(GIF_COLOURS, mask=clear)
    indexed.info = {"transparency": GIF_COLOURS}
    return indexed


def _change(copy: Path, change: Callable[[bytes], bytes]) -> None:
    copy.write_bytes(change(copy.read_bytes()))


def write_thumbnail(image: Image.Image, thumbnail: Path) -> None:
    """Write a small picture."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    small.save(thumbnail, format="WEBP", quality=75)


def blur(image: Image.Image) -> str:
    """Tell in a few characters how a picture looks from afar (blurhash)."""
    small = image.convert("RGB")
    small.thumbnail((BLUR_SIDE, BLUR_SIDE))
    data = small.tobytes()
    rows = [[tuple(data[3 * (y * small.width + x) :][:3]) for x in range(small.width)] for y in range(small.height)]
    return str(blurhash.encode(rows, components_x=4, components_y=3))
