"""Images: encoded again from their pixels, so that nothing else of the file is left."""

import io
import struct
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageCms, ImageOps, ImageSequence, JpegImagePlugin

from messaging.media.sanitizer import avif
from messaging.media.sanitizer.gif import parse_gif
from messaging.media.sanitizer.png import without_metadata
from messaging.media.sanitizer.result import ExaminationResult, Refusal
from messaging.media.sanitizer.thumbnail import blurhash_of, write_thumbnail

MAX_PIXELS = 33_000_000
MAX_FRAMES = 500
MAX_ANIMATION_PIXELS = 120_000_000
"""The most pixels of all frames together, which are in memory at once."""
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP", "image/avif": "AVIF"}
SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90, "progressive": True},
    "WEBP": {"quality": 90},
    "AVIF": {"quality": 80},
}
DECODE_ERRORS = (
    *(OSError, SyntaxError, ValueError, MemoryError, EOFError, LookupError, TypeError, ArithmeticError, struct.error),
    Image.DecompressionBombError,
)
"""What decoders raise for invalid bytes."""
SRGB = ImageCms.createProfile("sRGB")
OPAQUE = (255, 255)
"""The least and the greatest value of an alpha channel without transparency."""
JPEG_END = b"\xff\xd9"
JPEG_FILLER = b"\x55" * 4096
"""Arbitrary image data."""
GIF_COLOURS = 255
"""One of 256 is reserved for transparent pixels."""
GIF_TO_BACKGROUND = 2
WEBP_FLAGS, WEBP_IS_ANIMATED, WEBP_HAS_ALPHA = 20, 0x02, 0x10

# Pillow would load these modules on their first use, when the sandbox no longer allows to read code.
Image.preinit()
for name in ("AvifImagePlugin", "TiffImagePlugin", "WebPImagePlugin"):
    import_module(f"PIL.{name}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image: its frames, their milliseconds, and how often they play; None is once, 0 is endlessly."""

    frames: Sequence[Image.Image]
    durations: Sequence[float] = field(default=())
    loop: int | None = None


def examine_image(content_type: str, source: Path, *, copy: Path, thumbnail: Path) -> ExaminationResult:
    """Check an image and write a copy of its pixels alone; Refusal if it is invalid or too large."""
    kind = FORMATS[content_type]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = READERS.get(kind, _read)(source.read_bytes(), kind)
    except Refusal:
        raise
    except DECODE_ERRORS as error:
        raise Refusal("This file is damaged, or no picture of this kind.") from error
    _write(picture, copy, format=kind)
    first = picture.frames[0]
    write_thumbnail(first, thumbnail)
    return ExaminationResult(content_type, width=first.width, height=first.height, blurhash=blurhash_of(first))


def _read(data: bytes, kind: str) -> Picture:
    """Decode all frames of an image."""
    with Image.open(io.BytesIO(data), formats=[kind]) as image:
        count = getattr(image, "n_frames", 1)
        _require_size(image.width * image.height, count=count)
        if count == 1:
            return Picture([_plain(image)])
        frames, durations = [], []
        for frame in ImageSequence.Iterator(image):
            # Some decoders know the duration of a frame only after this.
            frame.load()
            frames.append(_plain(frame))
            durations.append(frame.info.get("duration", 0))
        # An animated PNG may have an image for programs that do not animate; it is not part of the animation.
        skipped = int(getattr(image, "default_image", False))
        return Picture(frames[skipped:], durations[skipped:], image.info.get("loop"))


def _read_png(data: bytes, kind: str) -> Picture:
    return _read(without_metadata(data), kind)


def _read_gif(data: bytes, kind: str) -> Picture:
    """Decode all frames of a GIF."""
    gif = parse_gif(data)
    area = max([gif.width * gif.height, *(frame.width * frame.height for frame in gif.frames)])
    _require_size(area, count=len(gif.frames))
    durations = [frame.milliseconds for frame in gif.frames]
    return Picture([_plain(picture) for picture in gif.pictures()], durations, gif.loop)


def _read_webp(data: bytes, kind: str) -> Picture:
    return _read(_with_alpha_flag(data), kind)


def _with_alpha_flag(data: bytes) -> bytes:
    """Mark an animated WebP as transparent: it may be so around frames that have no alpha channel."""
    if data[12:16] != b"VP8X" or not data[WEBP_FLAGS] & WEBP_IS_ANIMATED:
        return data
    return data[:WEBP_FLAGS] + bytes([data[WEBP_FLAGS] | WEBP_HAS_ALPHA]) + data[WEBP_FLAGS + 1 :]


def _read_avif(data: bytes, kind: str) -> Picture:
    picture = _read(data, kind)
    return Picture(picture.frames, picture.durations, avif.play_count(data))


def _read_jpeg(data: bytes, kind: str) -> Picture:
    """Decode the first image of a JPEG, of which there may be several; its end marker may be missing."""
    try:
        return Picture([_first_of(data)])
    except OSError:
        ended, filled = _first_of(data + JPEG_END), _first_of(data + JPEG_FILLER + JPEG_END)
        # If more than the marker is missing, the result depends on what follows.
        if ended.tobytes() != filled.tobytes():
            raise
        return Picture([ended])


def _first_of(data: bytes) -> Image.Image:
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        _require_size(image.width * image.height)
        return _plain(image)


READERS = {"GIF": _read_gif, "PNG": _read_png, "WEBP": _read_webp, "AVIF": _read_avif, "JPEG": _read_jpeg}


def _require_size(pixels: int, *, count: int = 1) -> None:
    """Refuse too many frames or pixels before any of them is decoded."""
    if pixels > MAX_PIXELS:
        raise Refusal(f"This picture is too large: at most {MAX_PIXELS // 1_000_000} megapixels.")
    if count > MAX_FRAMES or (count > 1 and pixels * count > MAX_ANIMATION_PIXELS):
        raise Refusal("This moving picture is too long.")


def _plain(frame: Image.Image) -> Image.Image:
    """Return the visible pixels: upright, in sRGB, with 8 bits per channel."""
    upright = _eight_bits(_upright(frame))
    plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    profile = upright.info.get("icc_profile")
    if profile and upright.mode in {"RGB", "RGBA"}:
        # An invalid profile leaves the colours as they are.
        with suppress(ImageCms.PyCMSError, OSError):
            plain = ImageCms.profileToProfile(plain, ImageCms.ImageCmsProfile(io.BytesIO(profile)), SRGB) or plain
    plain.info = {}
    return plain.convert("RGB") if plain.mode == "RGBA" and plain.getchannel("A").getextrema() == OPAQUE else plain


def _upright(frame: Image.Image) -> Image.Image:
    """Rotate an image as its metadata say; invalid metadata leave it as it is."""
    frame.load()
    try:
        return ImageOps.exif_transpose(frame)
    except DECODE_ERRORS:
        return frame.copy()


def _eight_bits(image: Image.Image) -> Image.Image:
    """Keep the upper 8 bits of grey with 16 bits. Pillow would turn nearly all of it white."""
    if not image.mode.startswith("I;16"):
        return image
    high, low = (_bytes_of(image, at) for at in (1, 0))
    transparent = image.info.get("transparency")
    if transparent is not None:
        other = ImageChops.lighter(_differs(high, transparent >> 8), _differs(low, transparent & 255))
        high = Image.merge("LA", (high, other))
    high.info = {"icc_profile": image.info.get("icc_profile")}
    return high


def _bytes_of(image: Image.Image, at: int) -> Image.Image:
    """Return one of the two bytes of each value: 0 is the lower, 1 the upper."""
    return Image.frombytes("L", image.size, image.tobytes("raw", "I;16")[at::2])


def _differs(image: Image.Image, value: int) -> Image.Image:
    return image.point([0 if each == value else 255 for each in range(256)])


def _write(picture: Picture, copy: Path, *, format: str) -> None:
    first, *others = _in_one_mode(picture.frames, format)
    options = SAVE_OPTIONS.get(format, {})
    if not others:
        first.save(copy, format=format, **options)
        return
    options = options | {"save_all": True, "append_images": others, "duration": list(picture.durations)}
    if format == "GIF":
        # A frame can't clear single pixels of the frame before it, only all of them.
        options |= {"disposal": GIF_TO_BACKGROUND} if "transparency" in first.info else {}
    if picture.loop is not None:
        options["loop"] = picture.loop
    first.save(copy, format=format, **options)
    if format == "AVIF":
        _rewrite(copy, lambda data: avif.with_play_count(data, picture.loop or 0))
    if format == "WEBP" and first.mode == "RGBA":
        _rewrite(copy, _with_alpha_flag)


def _in_one_mode(frames: Sequence[Image.Image], format: str) -> list[Image.Image]:
    """Convert all frames to one mode that the format supports."""
    has_alpha = any(frame.mode == "RGBA" for frame in frames)
    if format == "JPEG" or not has_alpha:
        return [frame.convert("RGB") for frame in frames]
    return [_indexed(frame) if format == "GIF" else frame.convert("RGBA") for frame in frames]


def _indexed(frame: Image.Image) -> Image.Image:
    """Convert a frame to the palette of a GIF, whose last entry is for transparent pixels."""
    transparent = frame.convert("RGBA").getchannel("A").point([255] * 128 + [0] * 128)
    indexed = frame.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=GIF_COLOURS)
    indexed.paste(GIF_COLOURS, mask=transparent)
    indexed.info = {"transparency": GIF_COLOURS}
    return indexed


def _rewrite(copy: Path, change: Callable[[bytes], bytes]) -> None:
    copy.write_bytes(change(copy.read_bytes()))
