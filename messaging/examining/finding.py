"""What an examination tells."""

from collections.abc import Sequence
from dataclasses import dataclass

THUMBNAIL_SIDE = 512
"""Pixels of the longer side."""


class Refusal(Exception):
    """These bytes are not taken; says why, in a sentence for people."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen: pixels, seconds, a blurred picture in a few characters, and peaks of a sound from 0 to 100."""

    width: int | None = None
    height: int | None = None
    duration: float | None = None
    blurhash: str = ""
    waveform: Sequence[int] = ()
