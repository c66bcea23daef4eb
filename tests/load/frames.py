"""WebSocket frames (RFC 6455) as bytes: what a client writes, masked, and what a server writes, unmasked."""

from typing import NamedTuple

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
FINAL = 0x80
MASKED = 0x80
SHORT_MOST = 125
LONG_MOST = 0xFFFF


class Frame(NamedTuple):
    """A frame as it was read; `end` is where the next one begins."""

    opcode: int
    payload: bytes
    end: int


def encode(payload: bytes, *, key: bytes, opcode: int = TEXT) -> bytes:
    """Write one whole frame under a masking key of four bytes."""
    length = len(payload)
    if length <= SHORT_MOST:
        head = bytes((FINAL | opcode, MASKED | length))
    elif length <= LONG_MOST:
        head = bytes((FINAL | opcode, MASKED | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((FINAL | opcode, MASKED | 127)) + length.to_bytes(8, "big")
    return head + key + mask(payload, key)


def mask(payload: bytes, key: bytes) -> bytes:
    """Mask a payload, or take the mask off: as one large number, which spares a loop over the bytes."""
    length = len(payload)
    keys = (key * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")).to_bytes(length, "little")


def decode(data: bytes, start: int = 0) -> Frame | None:
    """Read the frame of a server that begins somewhere in the data; None if it is not all there yet."""
    if len(data) < start + 2:
        return None
    first, length = data[start], data[start + 1]
    begin = start + 2
    if length > SHORT_MOST:
        size = 2 if length == 126 else 8
        if len(data) < begin + size:
            return None
        length = int.from_bytes(data[begin : begin + size], "big")
        begin += size
    end = begin + length
    return Frame(first & 0x0F, data[begin:end], end) if len(data) >= end else None
