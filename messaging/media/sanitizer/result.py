"""What an examination tells, and how its words are read by whoever asked for it and trusts none of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

THUMBNAIL_SIDE = 512
"""Pixels of the longer side."""
PEAKS = 64
# What is a film by its name, and has a sound alone.
SOUNDS = {"video/mp4": "audio/mp4", "video/quicktime": "audio/mp4", "video/webm": "audio/webm"}
DAMAGED = "This file could not be read."
REASON_LENGTH = 200
BLURHASH_LENGTH = 64
SIDE_MOST = 2**31 - 1
SECONDS_MOST = 10**9


class Refusal(Exception):
    """These bytes are not taken; says why, in a sentence for people."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen: pixels, seconds, a blurred picture in a few characters, and peaks of a sound from 0 to 100."""

    content_type: str
    """What it is, which is not what it was declared as where a film has no picture."""
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    blurhash: str = ""
    waveform: Sequence[int] = ()


def read_finding(words: bytes) -> Finding:
    """Read what the program wrote; Refusal with its reason, or if it is nothing that such a program writes."""
    try:
        told = json.loads(words)
        if "reason" in told:
            raise Refusal(told["reason"] if _is_sentence(told["reason"]) else DAMAGED)
        finding = Finding(**told)
    except (ValueError, TypeError, RecursionError):
        raise Refusal(DAMAGED) from None
    if not _is_sound(finding):
        raise Refusal(DAMAGED)
    return finding


def _is_sentence(reason: Any) -> bool:
    return isinstance(reason, str) and len(reason) <= REASON_LENGTH and reason.isprintable()


def _is_sound(finding: Finding) -> bool:
    """Tell whether each value has its type and a size that is possible, and that the database takes."""
    return (
        isinstance(finding.content_type, str)
        and all(side is None or _is_number(side, int, SIDE_MOST) for side in (finding.width, finding.height))
        and (finding.duration is None or _is_number(finding.duration, float, SECONDS_MOST))
        and isinstance(finding.blurhash, str)
        and len(finding.blurhash) <= BLURHASH_LENGTH
        and finding.blurhash.isascii()
        and finding.blurhash.isprintable()
        and isinstance(finding.waveform, list)
        and len(finding.waveform) <= PEAKS
        and all(_is_number(peak, int, 100) for peak in finding.waveform)
    )


def _is_number(value: Any, of: type[int] | type[float], most: int) -> bool:
    """Tell whether a value is a number of this type, and no truth value, from 0 to a bound."""
    return value.__class__ is of and bool(0 <= value <= most)
