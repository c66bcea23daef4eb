"""The thumbnail of an image or a video, and its blurhash."""

from pathlib import Path

import blurhash  # type: ignore[import-untyped]
from PIL import Image

THUMBNAIL_SIZE = 512
"""Pixels of the longer side."""
THUMBNAIL_QUALITY = 75
BLURHASH_SIZE = 32
"""Pixels of the longer side of the image from which the blurhash is made."""


def write_thumbnail(image: Image.Image, thumbnail: Path) -> None:
    """Write the thumbnail of an image."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
    small.save(thumbnail, format="WEBP", quality=THUMBNAIL_QUALITY)


def blurhash_of(image: Image.Image) -> str:
    """Return the blurhash of an image: a few characters from which an app draws a blurred preview."""
    small = image.convert("RGB")
    small.thumbnail((BLURHASH_SIZE, BLURHASH_SIZE))
    data = small.tobytes()
    rows = [[tuple(data[3 * (y * small.width + x) :][:3]) for x in range(small.width)] for y in range(small.height)]
    return str(blurhash.encode(rows, components_x=4, components_y=3))
