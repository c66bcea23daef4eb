"""What a page shows of media: how each item is displayed, and a line about its type and size."""

from dataclasses import dataclass

from messaging.media.accepted_types import ACCEPTED_TYPES
from messaging.media.attachments import MediaJSON

UNITS = ("B", "kB", "MB", "GB")


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One picture, video, sound or file of a message."""

    display: str
    """`image`, `video` or `audio` where browsers show it in the page, else `file`."""
    url: str
    thumbnail_url: str
    filename: str
    width: int | None
    height: int | None
    duration: float
    waveform: str
    about: str

    @classmethod
    def of(cls, media: MediaJSON) -> "MediaItem":
        known_type = ACCEPTED_TYPES.get(media["content_type"])
        is_inline = known_type is not None and known_type.is_inline and media["url"] is not None
        return cls(
            display=media["kind"] if is_inline else "file",
            url=media["url"] or "",
            thumbnail_url=media["thumbnail_url"] or "",
            filename=media["filename"],
            width=media["width"],
            height=media["height"],
            duration=media["duration"] or 0,
            waveform=" ".join(map(str, media["waveform"] or ())),
            about=type_and_size(media),
        )


def type_and_size(media: MediaJSON) -> str:
    """Return the type and size of a file: `PDF · 1.2 MB`."""
    extension = media["filename"].rpartition(".")[2].upper()
    state = "" if media["url"] else f" · {media['state']}"
    return f"{extension} · {format_size(media['size'])}{state}"


def format_size(count: int) -> str:
    """Format a number of bytes for people: `950 B`, `1.2 MB`."""
    size, unit = float(count), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {UNITS[unit]}" if size >= 10 or unit == 0 else f"{size:.1f} {UNITS[unit]}"
