"""Pictures: written anew from their pixels, so that nothing else of the file is left."""

import warnings
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import blurhash  # type: ignore[import-untyped]
from PIL import Image, ImageCms, ImageOps, ImageSequence

from messaging.examining.finding import THUMBNAIL_SIDE, Finding, Refusal

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
SRGB = ImageCms.createProfile("sRGB")
BLUR_SIDE = 32

# What Pillow would load when it needs it, which is when no more code can be read.
Image.preinit()
for name in ("AvifImagePlugin", "TiffImagePlugin", "WebPImagePlugin"):
    import_module(f"PIL.{name}")


def examine_picture(content_type: str, source: Path, *, copy: Path, thumbnail: Path) -> Finding:
    """Check a picture, and write it without anything but its pixels; Refusal for what is none, or too large."""
    kind = FORMATS[content_type]
    try:
        with warnings.catch_warnings(), Image.open(source, formats=[kind]) as image:
            warnings.simplefilter("ignore")
            count = _frames_of(image)
            frames = [_plain(frame) for frame in ImageSequence.Iterator(image)] if count > 1 else [_plain(image)]
            timing = _timing(image, count)
    except Refusal:
        raise
    except (OSError, SyntaxError, ValueError, MemoryError, EOFError, Image.DecompressionBombError) as error:
        raise Refusal("This file is damaged, or no picture of this kind.") from error
    _write(frames, copy, format=kind, timing=timing)
    first = frames[0]
    write_thumbnail(first, thumbnail)
    return Finding(content_type, width=first.width, height=first.height, blurhash=blur(first))


def _frames_of(image: Image.Image) -> int:
    """How many frames there are; what is too much is refused before anything of it is decoded."""
    pixels, count = image.width * image.height, getattr(image, "n_frames", 1)
    if pixels > PIXELS_MOST:
        raise Refusal(f"This picture is too large: at most {PIXELS_MOST // 1_000_000} megapixels.")
    if count > FRAMES_MOST or (count > 1 and pixels * count > PIXELS_MOVING_MOST):
        raise Refusal("This moving picture is too long.")
    return count


def _plain(frame: Image.Image) -> Image.Image:
    """The pixels as they are to be seen: upright, in the colours of all screens."""
    upright = ImageOps.exif_transpose(frame)
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    plain = upright.convert("RGBA" if has_alpha else "RGB")
    profile = upright.info.get("icc_profile")
    if profile and upright.mode in {"RGB", "RGBA"}:
        # A profile that makes no sense leaves the colours as they are.
        with suppress(ImageCms.PyCMSError, OSError):
            plain = ImageCms.profileToProfile(plain, ImageCms.ImageCmsProfile(BytesIO(profile)), SRGB) or plain
    plain.info = {}
    return plain


def _timing(image: Image.Image, count: int) -> dict[str, Any]:
    if count == 1:
        return {}
    durations = [int(frame.info.get("duration") or 100) for frame in ImageSequence.Iterator(image)]
    return {"save_all": True, "duration": durations, "loop": int(image.info.get("loop", 0))}


def _write(frames: list[Image.Image], copy: Path, *, format: str, timing: dict[str, Any]) -> None:
    first, *others = [frame.convert("RGB") if format == "JPEG" else frame for frame in frames]
    more = {"append_images": others} if others else {}
    first.save(copy, format=format, **HOW.get(format, {}), **timing, **more)


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
