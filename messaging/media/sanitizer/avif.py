"""How often a moving AVIF plays, which Pillow neither tells nor writes.

It stands in its movie as the length of each track beside the length of what is shown once (ISO/IEC 23000-22, 14496-12).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

HOLDERS = {b"moov", b"trak", b"edts"}
WITHOUT_END = 2**64 - 1
IS_REPEATED = 1


class Box(NamedTuple):
    """A box with a version: where what follows its version and flags begins, and these two."""

    name: bytes
    start: int
    version: int
    flags: int


def times_played(data: bytes) -> int:
    """Tell how often a moving AVIF plays; 0 for without end, which also holds where it does not say."""
    boxes = {box.name: box for box in reversed(list(_boxes(data, 0, len(data))))}
    if not {b"tkhd", b"elst"} <= boxes.keys():
        return 0
    if not boxes[b"elst"].flags & IS_REPEATED:
        return 1
    whole, once = _length(data, boxes[b"tkhd"]), _length(data, boxes[b"elst"])
    return 0 if whole == WITHOUT_END or not once else -(-whole // once)


def with_times(whole: bytes, times: int) -> bytes:
    """Have a moving AVIF that plays without end play so often; 0 leaves it as it is."""
    if not times:
        return whole
    data = bytearray(whole)
    boxes = list(_boxes(data, 0, len(data)))
    once = max(_length(data, box) for box in boxes if box.name == b"elst")
    for box in boxes:
        if box.name == b"elst":
            data[box.start - 1] = IS_REPEATED if times > 1 else 0
        else:
            _set_length(data, box, once * times)
    return bytes(data)


def _boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[Box]:
    """The boxes that tell of lengths, of all tracks."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            size, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        if size < head or start + size > end:
            return
        if name in HOLDERS:
            yield from _boxes(data, start + head, start + size)
        elif name in PLACES and size >= head + 4 + PLACES[name][data[start + head] == 1] + 8:
            flags = int.from_bytes(data[start + head + 1 : start + head + 4])
            yield Box(name, start + head + 4, data[start + head], flags)
        start += size


# Where the length stands behind version and flags, in version 0 (with 32 bits) and 1 (with 64 bits).
PLACES = {b"mvhd": (12, 20), b"tkhd": (16, 24), b"elst": (4, 4)}


def _place(box: Box) -> tuple[str, int]:
    is_long = box.version == 1
    return (">Q" if is_long else ">I"), box.start + PLACES[box.name][is_long]


def _length(data: bytes | bytearray, box: Box) -> int:
    form, at = _place(box)
    length: int = struct.unpack_from(form, data, at)[0]
    return WITHOUT_END if (form, length) == (">I", 2**32 - 1) else length


def _set_length(data: bytearray, box: Box, length: int) -> None:
    form, at = _place(box)
    struct.pack_into(form, data, at, min(length, 2**32 - 1 if form == ">I" else WITHOUT_END))
