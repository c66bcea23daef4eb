"""What a page shows of media: which of its looks each has, and in words how large it is."""

from dataclasses import dataclass

from messaging.media.attachments import MediaJSON
from messaging.media.types import TYPES

LOOKS = {"image": "picture", "video": "film", "audio": "sound"}
UNITS = ("B", "kB", "MB", "GB")


@dataclass(frozen=True, slots=True)
class Piece:
    """One picture, film, sound or file in a message."""

    look: str
    """`picture`, `film` or `sound` where browsers show it in place, else `file`."""
    url: str
    thumbnail_url: str
    filename: str
    width: int | None
    height: int | None
    duration: float
    waveform: str
    about: str

    @classmethod
    def of(cls, media: MediaJSON) -> "Piece":
        declared = TYPES.get(media["content_type"])
        is_shown = declared is not None and declared.is_shown and media["url"] is not None
        return cls(
            look=LOOKS.get(media["kind"], "file") if is_shown else "file",
            url=media["url"] or "",
            thumbnail_url=media["thumbnail_url"] or "",
            filename=media["filename"],
            width=media["width"],
            height=media["height"],
            duration=media["duration"] or 0,
            waveform=" ".join(map(str, media["waveform"] or ())),
            about=about(media),
        )


def about(media: MediaJSON) -> str:
    """Say of what kind a file is, and how large: `PDF · 1.2 MB`."""
    ending = media["filename"].rpartition(".")[2].upper()
    state = "" if media["url"] else f" · {media['state']}"
    return f"{ending} · {size_words(media['size'])}{state}"


def size_words(count: int) -> str:
    """Write a number of bytes as people do: `950 B`, `1.2 MB`."""
    size, unit = float(count), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {UNITS[unit]}" if size >= 10 or unit == 0 else f"{size:.1f} {UNITS[unit]}"
