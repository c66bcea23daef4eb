"""How often an animated AVIF plays, which Pillow neither reads nor writes.

The file contains the duration of each track and the duration of one play (ISO/IEC 23000-22, 14496-12).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

CONTAINER_BOXES = {b"moov", b"trak", b"edts"}
ENDLESS = 2**64 - 1
IS_REPEATED = 1


class Box(NamedTuple):
    """A box with a version and flags; `start` is the offset of what follows them."""

    name: bytes
    start: int
    version: int
    flags: int


def play_count(data: bytes) -> int:
    """Return how often an animated AVIF plays; 0 if it plays endlessly or does not say."""
    boxes = {box.name: box for box in reversed(list(_boxes(data, 0, len(data))))}
    if not {b"tkhd", b"elst"} <= boxes.keys():
        return 0
    if not boxes[b"elst"].flags & IS_REPEATED:
        return 1
    total, once = _duration(data, boxes[b"tkhd"]), _duration(data, boxes[b"elst"])
    return 0 if total == ENDLESS or not once else -(-total // once)


def with_play_count(whole: bytes, times: int) -> bytes:
    """Set how often an endless AVIF plays; 0 leaves it endless."""
    if not times:
        return whole
    data = bytearray(whole)
    boxes = list(_boxes(data, 0, len(data)))
    once = max(_duration(data, box) for box in boxes if box.name == b"elst")
    for box in boxes:
        if box.name == b"elst":
            data[box.start - 1] = IS_REPEATED if times > 1 else 0
        else:
            _set_duration(data, box, once * times)
    return bytes(data)


def _boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[Box]:
    """Iterate over the boxes of all tracks that contain a duration."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            size, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        if size < head or start + size > end:
            return
        if name in CONTAINER_BOXES:
            yield from _boxes(data, start + head, start + size)
        elif name in DURATION_OFFSETS and size >= head + 4 + DURATION_OFFSETS[name][data[start + head] == 1] + 8:
            flags = int.from_bytes(data[start + head + 1 : start + head + 4])
            yield Box(name, start + head + 4, data[start + head], flags)
        start += size


# The offset of the duration after version and flags, in version 0 (with 32 bits) and 1 (with 64 bits).
DURATION_OFFSETS = {b"mvhd": (12, 20), b"tkhd": (16, 24), b"elst": (4, 4)}


def _duration_field(box: Box) -> tuple[str, int]:
    is_long = box.version == 1
    return (">Q" if is_long else ">I"), box.start + DURATION_OFFSETS[box.name][is_long]


def _duration(data: bytes | bytearray, box: Box) -> int:
    form, at = _duration_field(box)
    duration: int = struct.unpack_from(form, data, at)[0]
    return ENDLESS if (form, duration) == (">I", 2**32 - 1) else duration


def _set_duration(data: bytearray, box: Box, duration: int) -> None:
    form, at = _duration_field(box)
    struct.pack_into(form, data, at, min(duration, 2**32 - 1 if form == ">I" else ENDLESS))
