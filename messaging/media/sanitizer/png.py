"""PNG without the chunks that are not its image."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"}
DESCRIPTIVE = {b"tRNS", b"iCCP", b"eXIf"}
"""Chunks that change how the image looks, and may be left out if they are invalid."""
DESCRIPTIVE_BYTES = 1024**2
TRUECOLOUR_16 = (16, 2)


def without_metadata(data: bytes) -> bytes:
    """Remove texts, whose size decoders may refuse, and profiles that are too large."""
    if not data.startswith(SIGNATURE):
        return data
    depth_and_type = tuple(data[24:26])
    kept = [SIGNATURE]
    for name, body, whole in _chunks(data):
        if name == b"tRNS" and depth_and_type == TRUECOLOUR_16:
            kept.append(_chunk(name, _eight_bits(body)))
        elif name in KEPT or (name in DESCRIPTIVE and _is_small(name, body)):
            kept.append(whole)
    return b"".join(kept)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Iterate over the chunks: name, content, and the whole chunk; the last one may be incomplete."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        yield name, data[at + 8 : end - 4], data[at:end]
        at = end


def _is_small(name: bytes, body: bytes) -> bool:
    if name != b"iCCP":
        return len(body) <= DESCRIPTIVE_BYTES
    unpacking = zlib.decompressobj()
    try:
        # The profile follows its name, which ends with NUL, and the number of the compression method.
        unpacking.decompress(body.partition(b"\0")[2][1:], DESCRIPTIVE_BYTES)
    except zlib.error:
        return False
    return unpacking.eof


def _eight_bits(body: bytes) -> bytes:
    """Convert the transparent colour for an image with 8 bits per channel."""
    return bytes(value for high in body[::2] for value in (0, high))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
