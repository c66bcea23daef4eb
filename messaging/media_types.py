"""What people may send beside words: by content type, what it is, how its names end, and whether browsers show it."""

from dataclasses import dataclass

import puremagic

HEAD_BYTES = 8192
"""As much of a file as tells what it is."""
MPEG_4 = {"video/mp4", "video/quicktime", "audio/mp4"}
WEBM = {"video/webm", "audio/webm"}

# content type, kind, ends of names, whether a browser may show it in place
TABLE = """
image/png        image  png              shown
image/jpeg       image  jpg,jpeg,jpe     shown
image/gif        image  gif              shown
image/webp       image  webp             shown
image/avif       image  avif             shown
video/mp4        video  mp4,m4v          shown
video/webm       video  webm             shown
video/quicktime  video  mov,qt           saved
audio/mpeg       audio  mp3              shown
audio/mp4        audio  m4a              shown
audio/ogg        audio  ogg,oga,opus     shown
audio/webm       audio  weba,webm        shown
audio/wav        audio  wav              shown
audio/flac       audio  flac             saved
application/pdf  file   pdf              saved
text/plain       file   txt,text,log     saved
text/csv         file   csv              saved
text/markdown    file   md,markdown      saved
application/json file   json             saved
application/zip  file   zip              saved
application/vnd.openxmlformats-officedocument.wordprocessingml.document   file docx saved
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet         file xlsx saved
application/vnd.openxmlformats-officedocument.presentationml.presentation file pptx saved
application/vnd.oasis.opendocument.text         file odt saved
application/vnd.oasis.opendocument.spreadsheet  file ods saved
application/vnd.oasis.opendocument.presentation file odp saved
"""
# What browsers and phones call some of them as well.
ALIASES = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/opus": "audio/ogg",
    "application/x-zip-compressed": "application/zip",
}


@dataclass(frozen=True, slots=True)
class MediaType:
    """One content type that is taken."""

    name: str
    kind: str
    """`image`, `video`, `audio` or `file`: the kind of a message that holds nothing else."""
    endings: tuple[str, ...]
    is_shown: bool
    """Whether it comes in place; all else comes as an attachment, to be saved."""

    @property
    def is_text(self) -> bool:
        return self.name.startswith("text/") or self.name == "application/json"


def _read() -> dict[str, MediaType]:
    rows = (line.split() for line in TABLE.strip().splitlines())
    return {name: MediaType(name, kind, tuple(ends.split(",")), how == "shown") for name, kind, ends, how in rows}


TYPES = _read()
ZIPPED = {name for name in TYPES if name == "application/zip" or "document" in name}


def media_type(content_type: str) -> MediaType | None:
    """Find a type that is taken, by its name in whatever case and with whatever parameters; None for all else."""
    name = content_type.partition(";")[0].strip().lower()
    return TYPES.get(ALIASES.get(name, name))


def looks_like(type: MediaType, head: bytes) -> bool:
    """Tell whether the beginning of a file may be that of one of this type."""
    if type.is_text:
        return _is_text(head)
    found = {media_type(each.mime_type) for each in _recognised(head) if each.mime_type}
    return any(each is not None and _is_akin(type, each) for each in found) or _begins_as(type, head)


def _begins_as(type: MediaType, head: bytes) -> bool:
    """What no table of beginnings could hold: the many brands of MPEG-4, and MPEG sound without a tag."""
    if type.name in MPEG_4:
        return head[4:8] == b"ftyp"
    return type.name == "audio/mpeg" and head[:1] == b"\xff" and head[1:2] >= b"\xe0"


def _recognised(head: bytes) -> list[puremagic.PureMagicWithConfidence]:
    try:
        return list(puremagic.magic_string(head))
    except (puremagic.PureError, ValueError):
        return []


def _is_akin(wanted: MediaType, found: MediaType) -> bool:
    """Documents are ZIP files; film and sound share their containers."""
    return wanted == found or any({wanted.name, found.name} <= family for family in (ZIPPED, MPEG_4, WEBM))


def _is_text(head: bytes) -> bool:
    """Text is UTF-8 without control characters; the last character may be cut off by the end of the head."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) - error.start >= 4 or len(head) < HEAD_BYTES:
            return False
        text = head[: error.start].decode("utf-8-sig")
    return not any(character < " " and character not in "\t\n\r\f\x1b" for character in text)
