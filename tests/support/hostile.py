"""Files that cost far more to copy than they have bytes, made on the spot."""

import io
import os
import struct
import zlib
from pathlib import Path

import av
from PIL import Image

LENGTH = struct.Struct(">I")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def film_that_repeats(folder: Path, *, times: int = 3000, side: int = 800) -> bytes:
    """A film of one picture whose sample table names that picture so many times: 1 MB that plays as 3 GB."""
    plain = _film_of_noise(folder / "noise.mp4", side)
    description, sample = _box(plain, b"stsd"), _box(plain, b"mdat")[8:]
    start = LENGTH.pack(16) + b"ftypisom" + LENGTH.pack(512)
    offset = len(start) + 8
    return start + _make(b"mdat", sample) + _moov(description, len(sample), offset, times, side)


def _film_of_noise(path: Path, side: int) -> bytes:
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=25, options={"qmin": "1", "qmax": "1"})
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        noise = Image.frombytes("RGB", (side, side), os.urandom(3 * side * side))
        out.mux(stream.encode(av.VideoFrame.from_image(noise)))
        out.mux(stream.encode())
    return path.read_bytes()


def _moov(description: bytes, size: int, offset: int, times: int, side: int) -> bytes:
    """Describe one track whose every sample lies at the same place."""
    once = struct.pack(">II", 0, 1)
    table = _make(
        b"stbl",
        description,
        _make(b"stts", once, struct.pack(">II", times, 40)),
        _make(b"stsc", once, struct.pack(">III", 1, 1, 1)),
        _make(b"stsz", struct.pack(">III", 0, size, times)),
        _make(b"stco", struct.pack(">II", 0, times), LENGTH.pack(offset) * times),
    )
    reference = _make(b"dinf", _make(b"dref", once, _make(b"url ", LENGTH.pack(1))))
    info = _make(b"minf", _make(b"vmhd", struct.pack(">III", 1, 0, 0)), reference, table)
    handler = _make(b"hdlr", bytes(8), b"vide", bytes(13))
    media = _make(b"mdia", _make(b"mdhd", struct.pack(">IIIIII", 0, 0, 0, 1000, 40 * times, 0)), handler, info)
    upright = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    span = struct.pack(">IIIIII", 3, 0, 0, 1, 0, 40 * times)
    head = _make(b"tkhd", span, bytes(16), upright, struct.pack(">HHHH", side, 0, side, 0))
    movie = _make(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 40 * times), bytes(16), upright, bytes(28))
    return _make(b"moov", movie, _make(b"trak", head, media))


def _make(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return LENGTH.pack(len(body) + 8) + name + body


def _box(data: bytes, name: bytes) -> bytes:
    """Find a box by its name, however deep it lies."""
    at = data.index(name) - 4
    return data[at : at + LENGTH.unpack_from(data, at)[0]]


def picture_that_repeats(*, frames: int = 118, size: tuple[int, int] = (1000, 1000)) -> bytes:
    """A PNG whose one picture of noise is only tinted by each frame: 4 MB of which every frame is 4 MB again."""
    noise = Image.frombytes("RGB", size, os.urandom(3 * size[0] * size[1]))
    first = _idat(noise.convert("RGBA"))
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 6, 0, 0, 0)),
        _chunk(b"acTL", struct.pack(">II", frames, 0)),
    ]
    chunks += [_chunk(b"fcTL", _control(0, size)), _chunk(b"IDAT", first)]
    for n in range(1, frames):
        tint = _idat(Image.new("RGBA", size, (255 * (n % 2), 0, 0, 9)))
        chunks += [_chunk(b"fcTL", _control(2 * n - 1, size)), _chunk(b"fdAT", LENGTH.pack(2 * n) + tint)]
    return PNG_SIGNATURE + b"".join(chunks) + _chunk(b"IEND", b"")


def _control(number: int, size: tuple[int, int]) -> bytes:
    """A frame of 100 ms that covers everything and is laid over what was there."""
    return struct.pack(">IIIIIHHBB", number, *size, 0, 0, 1, 10, 0, 1)


def _chunk(name: bytes, data: bytes) -> bytes:
    return LENGTH.pack(len(data)) + name + data + LENGTH.pack(zlib.crc32(name + data))


def _idat(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    data, found = out.getvalue(), b""
    at = len(PNG_SIGNATURE)
    while at < len(data):
        length, name = LENGTH.unpack_from(data, at)[0], data[at + 4 : at + 8]
        found += data[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    return found
