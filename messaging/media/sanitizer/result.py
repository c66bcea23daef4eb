"""The result of an examination, and how the server parses it without trusting the program that wrote it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WAVEFORM_STEPS = 64
# The type of a video file that contains only audio.
AUDIO_ONLY_TYPES = {"video/mp4": "audio/mp4", "video/quicktime": "audio/mp4", "video/webm": "audio/webm"}
DAMAGED = "This file could not be read."
REASON_LENGTH = 200
BLURHASH_LENGTH = 64
MAX_SIDE = 2**31 - 1
MAX_SECONDS = 10**9


class Refusal(Exception):
    """The file is refused; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class ExaminationResult:
    """The properties of a file: its size in pixels, seconds, blurhash, and the peaks of its audio from 0 to 100."""

    content_type: str
    """The detected type; it differs from the declared one for a video file that contains only audio."""
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    blurhash: str = ""
    waveform: Sequence[int] = ()


def parse_result(output: bytes) -> ExaminationResult:
    """Parse the program's output; Refusal with its reason, or if the output is not valid."""
    try:
        fields = json.loads(output)
        if "reason" in fields:
            raise Refusal(fields["reason"] if _is_sentence(fields["reason"]) else DAMAGED)
        result = ExaminationResult(**fields)
    except (ValueError, TypeError, RecursionError):
        raise Refusal(DAMAGED) from None
    if not _is_valid(result):
        raise Refusal(DAMAGED)
    return result


def _is_sentence(reason: Any) -> bool:
    return isinstance(reason, str) and len(reason) <= REASON_LENGTH and reason.isprintable()


def _is_valid(result: ExaminationResult) -> bool:
    """Tell whether each value has its type, and a size that is possible and fits the database."""
    return (
        isinstance(result.content_type, str)
        and all(side is None or _is_number(side, int, MAX_SIDE) for side in (result.width, result.height))
        and (result.duration is None or _is_number(result.duration, float, MAX_SECONDS))
        and isinstance(result.blurhash, str)
        and len(result.blurhash) <= BLURHASH_LENGTH
        and result.blurhash.isascii()
        and result.blurhash.isprintable()
        and isinstance(result.waveform, list)
        and len(result.waveform) <= WAVEFORM_STEPS
        and all(_is_number(peak, int, 100) for peak in result.waveform)
    )


def _is_number(value: Any, of: type[int] | type[float], maximum: int) -> bool:
    """Tell whether a value is a number of exactly this type, so no bool, from 0 to a maximum."""
    return value.__class__ is of and bool(0 <= value <= maximum)
