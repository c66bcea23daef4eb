"""PNG without what is not its picture."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"}
DESCRIBING = {b"tRNS", b"iCCP", b"eXIf"}
"""What changes how the picture is to be seen, and may be left out where it makes no sense."""
DESCRIBING_BYTES = 1024**2
TRUECOLOUR_16 = (16, 2)


def without_words(data: bytes) -> bytes:
    """Give the same picture without texts, whose size no decoder likes, and without profiles that are too large."""
    if not data.startswith(SIGNATURE):
        return data
    depth_and_type = tuple(data[24:26])
    kept = [SIGNATURE]
    for name, body, whole in _chunks(data):
        if name == b"tRNS" and depth_and_type == TRUECOLOUR_16:
            kept.append(_chunk(name, _eight_bits(body)))
        elif name in KEPT or (name in DESCRIBING and _is_small(name, body)):
            kept.append(whole)
    return b"".join(kept)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Each chunk's name, what is in it, and the whole of it; the last one may be cut off."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        yield name, data[at + 8 : end - 4], data[at:end]
        at = end


def _is_small(name: bytes, body: bytes) -> bool:
    if name != b"iCCP":
        return len(body) <= DESCRIBING_BYTES
    unpacking = zlib.decompressobj()
    try:
        # Behind a name, which ends with NUL, and the number of the compression method.
        unpacking.decompress(body.partition(b"\0")[2][1:], DESCRIBING_BYTES)
    except zlib.error:
        return False
    return unpacking.eof


def _eight_bits(body: bytes) -> bytes:
    """The colour that is see-through, as it is once its picture has 8 bits a channel."""
    return bytes(value for high in body[::2] for value in (0, high))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
