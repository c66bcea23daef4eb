"""GIF as browsers show it: pixels that no frame covers are transparent, whether or not the file has a colour for that.

Pillow would fill them with a colour. So it decodes only one frame at a time here, and this module composes them.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image

EXTENSION, FRAME, END = 0x21, 0x2C, 0x3B
CONTROL, APPLICATION = 0xF9, 0xFF
LOOPING = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
HAS_TABLE, TABLE_SIZE, IS_INTERLACED = 0x80, 0x07, 0x40
IS_TRANSPARENT = 0x01
TO_BACKGROUND, TO_PREVIOUS = 2, (3, 4)
SCREEN = struct.Struct("<6sHHBBB")
DESCRIPTOR = struct.Struct("<HHHHB")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its position, duration and disposal, its palette and its compressed pixels."""

    left: int
    top: int
    width: int
    height: int
    flags: int
    control: bytes
    colours: bytes
    codes: bytes

    @property
    def milliseconds(self) -> int:
        return 10 * int.from_bytes(self.control[1:3], "little")

    @property
    def disposal(self) -> int:
        return self.control[0] >> 2 & 7


@dataclass(slots=True)
class Gif:
    """The frames of a file, and how often they are repeated if the file says so."""

    width: int
    height: int
    frames: list[Frame] = field(default_factory=list)
    loop: int | None = None

    def pictures(self) -> Iterator[Image.Image]:
        """Iterate over the composed images, one for each frame."""
        canvas = Image.new("RGBA", (self.width, self.height))
        for frame in self.frames:
            before = canvas.copy() if frame.disposal in TO_PREVIOUS else canvas
            drawn = _decode(frame)
            canvas.paste(drawn, (frame.left, frame.top), drawn)
            yield canvas.copy()
            canvas = before
            if frame.disposal == TO_BACKGROUND:
                canvas.paste((0, 0, 0, 0), (frame.left, frame.top, frame.left + frame.width, frame.top + frame.height))


def parse_gif(data: bytes) -> Gif:
    """Find the frames without decoding them; IndexError, ValueError or struct.error if it is no GIF, or incomplete."""
    signature, width, height, flags, _, _ = SCREEN.unpack_from(data)
    if signature[:3] != b"GIF":
        raise ValueError("not a GIF")
    at = SCREEN.size + _table_bytes(flags)
    colours, control, gif = data[SCREEN.size : at], bytes(4), Gif(width, height)
    while at < len(data) and data[at] in {EXTENSION, FRAME}:
        if data[at] == FRAME:
            frame, at = _frame_at(data, at + 1, control=control, colours=colours)
            gif.frames.append(frame)
            control = bytes(4)
        else:
            label, blocks, at = data[at + 1], *_blocks_at(data, at + 2)
            if label == CONTROL and len(blocks[0]) == len(control):
                control = blocks[0]
            elif label == APPLICATION and blocks[0] in LOOPING and blocks[1][:1] == b"\1":
                gif.loop = int.from_bytes(blocks[1][1:3], "little")
    first = gif.frames[0]
    gif.width, gif.height = max(width, first.left + first.width), max(height, first.top + first.height)
    return gif


def _frame_at(data: bytes, at: int, *, control: bytes, colours: bytes) -> tuple[Frame, int]:
    left, top, width, height, flags = DESCRIPTOR.unpack_from(data, at)
    table = at + DESCRIPTOR.size
    codes = table + _table_bytes(flags)
    _, end = _blocks_at(data, codes + 1)
    own = data[table:codes] or colours
    return Frame(left, top, width, height, flags, control, own, data[codes:end]), end


def _table_bytes(flags: int) -> int:
    return 3 << (flags & TABLE_SIZE) + 1 if flags & HAS_TABLE else 0


def _blocks_at(data: bytes, at: int) -> tuple[list[bytes], int]:
    """Read the data blocks at an offset, each after its length; return them and the offset after the empty last one."""
    blocks = []
    while length := data[at]:
        blocks.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return [*blocks, b"", b""], at + 1


def _decode(frame: Frame) -> Image.Image:
    """Decode a single frame, as a GIF of its own."""
    size = HAS_TABLE | max(len(frame.colours) // 3 - 1, 1).bit_length() - 1
    screen = SCREEN.pack(b"GIF89a", frame.width, frame.height, size, 0, 0) + (frame.colours or bytes(6))
    control = bytes([EXTENSION, CONTROL, 4, frame.control[0] & IS_TRANSPARENT]) + frame.control[1:] + b"\0"
    descriptor = bytes([FRAME]) + DESCRIPTOR.pack(0, 0, frame.width, frame.height, frame.flags & IS_INTERLACED)
    with Image.open(io.BytesIO(screen + control + descriptor + frame.codes + bytes([END])), formats=["GIF"]) as image:
        return image.convert("RGBA")
