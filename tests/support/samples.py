"""Files as people send them, made on the spot: pictures, film and sound, with metadata that is nobody's business."""

import io
import math
import zipfile
from array import array
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

SECRETS = (b"secret", b"Camera", b"+52.5")
"""What stands in the metadata of these files, and must not in what others get."""


def picture(kind: str = "JPEG", *, size: tuple[int, int] = (640, 480), color: str = "teal") -> bytes:
    """A picture from a camera: where it was taken, with what, a comment; and on its side."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.paste(color, (0, 0, size[0] // 2, size[1] // 2))
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Camera", 6
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", (52.0, 30.0, 0.0)
    more = {"comment": b"secret"} if kind in {"JPEG", "GIF"} else {}
    out = io.BytesIO()
    image.save(out, kind, **({} if kind == "GIF" else {"exif": exif}), **more)
    return out.getvalue()


def noise(size: tuple[int, int] = (1000, 800)) -> bytes:
    """A picture in poor quality, which takes more room when it is written anew."""
    out = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(out, "JPEG", quality=20)
    return out.getvalue()


def moving_picture(frames: int = 6) -> bytes:
    """A GIF that moves."""
    images = [Image.new("RGB", (120, 90), (40 * n % 255, 80, 160)) for n in range(frames)]
    out = io.BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], duration=80, loop=0, comment=b"secret")
    return out.getvalue()


def huge_moving_picture() -> bytes:
    """Fourteen frames of nine megapixels, in a few kilobytes."""
    images = [Image.new("P", (3000, 3000), n) for n in range(14)]
    out = io.BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:])
    return out.getvalue()


def bomb() -> bytes:
    """A few kilobytes that are 400 megapixels."""
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    return out.getvalue()


def film(folder: Path, form: str = "mp4", *, codecs: tuple[str, str] = ("libx264", "aac"), seconds: float = 2) -> bytes:
    """A film with sound that says where it was taken."""
    path = folder / f"film.{form}"
    with av.open(str(path), "w", format=form) as out:
        _tell(out)
        pictures, sound = out.add_stream(codecs[0], rate=25), out.add_stream(codecs[1], rate=48_000)
        pictures.width, pictures.height, pictures.pix_fmt = 320, 240, "yuv420p"
        for n in range(int(25 * seconds)):
            frame = av.VideoFrame.from_image(Image.new("RGB", (320, 240), (3 * n % 255, 80, 160)))
            out.mux(pictures.encode(frame))
        out.mux(pictures.encode())
        _add_tone(out, sound, seconds)
    return path.read_bytes()


def sound(folder: Path, form: str = "ogg", *, codec: str = "libopus", seconds: float = 2) -> bytes:
    """A tone that grows louder."""
    path = folder / f"sound.{form}"
    with av.open(str(path), "w", format=form) as out:
        _tell(out)
        _add_tone(out, out.add_stream(codec, rate=48_000), seconds)
    return path.read_bytes()


def _tell(out: av.container.OutputContainer) -> None:
    out.metadata.update({"title": "secret", "comment": "secret", "location": "+52.5+013.4/"})


def _add_tone(out: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    count, size = int(48_000 * seconds), 1024
    for start in range(0, count, size):
        wave = array("h", (int(2e4 * start / count * math.sin(n / 17)) for n in range(start, start + size)))
        frame = av.AudioFrame(format="s16", layout="mono", samples=size)
        frame.planes[0].update(wave.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
        out.mux(stream.encode(frame))
    out.mux(stream.encode())


def archive() -> bytes:
    """A ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as files:
        files.writestr("note.txt", "Hello " * 100)
    return out.getvalue()
