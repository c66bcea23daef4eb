"""What people may send beside words: by content type, what it is, how its names end, and whether browsers show it."""

import codecs
import unicodedata
from dataclasses import dataclass

import puremagic

NAME_LENGTH = 255
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
    "application/csv": "text/csv",
    "text/x-csv": "text/csv",
    "text/comma-separated-values": "text/csv",
    "text/x-markdown": "text/markdown",
}
# What text of every kind is called: the latter by browsers on Windows, where a spreadsheet program is installed.
TEXTS = {"text/plain", "application/vnd.ms-excel"}


CONTROLS = "\t\n\r\f\x1a\x1b"
"""Those that are found in text: the last two end it in files of DOS, and change the alphabet in ISO 2022."""
# UTF-32 before UTF-16, whose mark is the beginning of its own.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


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
PLAYED_ENDINGS = {ending for each in TYPES.values() if each.kind != "file" for ending in each.endings}
ZIPPED = {name for name in TYPES if name == "application/zip" or "document" in name}


def media_type(content_type: str) -> MediaType | None:
    """Find a type that is taken, by its name in whatever case and with whatever parameters; None for all else."""
    name = content_type.partition(";")[0].strip().lower()
    return TYPES.get(ALIASES.get(name, name))


def declared_type(content_type: str, filename: str) -> MediaType | None:
    """Find the type of a file that is offered: as it is declared, but the ending of its name decides among texts."""
    if content_type.partition(";")[0].strip().lower() not in TEXTS:
        return media_type(content_type)
    ending = _ending_of(filename)
    by_ending = (each for each in TYPES.values() if each.is_text and ending in each.endings)
    return next(by_ending, media_type(content_type))


def name_for(filename: str, type: MediaType) -> str:
    """Give a name the ending of a type: instead of one of another picture, film or sound, and behind all others."""
    if _ending_of(filename) in type.endings:
        return filename
    stem = filename.rpartition(".")[0] if _ending_of(filename) in PLAYED_ENDINGS and type.kind != "file" else filename
    if _ending_of(stem) in type.endings:
        return stem
    ending = f".{type.endings[0]}"
    return f"{stem[: NAME_LENGTH - len(ending)]}{ending}"


def _ending_of(filename: str) -> str:
    return filename.rpartition(".")[2].lower() if "." in filename else ""


def type_of(declared: MediaType, head: bytes) -> MediaType | None:
    """Find what a file is by its beginning: what it was declared as, or another picture for a picture; else None."""
    others = [each for each in TYPES.values() if each.kind == declared.kind == "image"]
    return next((each for each in (declared, *others) if looks_like(each, head)), None)


def looks_like(type: MediaType, head: bytes) -> bool:
    """Tell whether the beginning of a file may be that of one of this type."""
    if type.is_text:
        return _is_text(head)
    found = _types_by_beginning(head)
    return any(each is not None and _is_akin(type, each) for each in found) or _begins_as(type, head)


def _types_by_beginning(head: bytes) -> set[MediaType | None]:
    return {media_type(each.mime_type) for each in _recognised(head) if each.mime_type}


def _begins_as(type: MediaType, head: bytes) -> bool:
    """What no table of beginnings could hold: the many brands of MPEG-4 and AVIF, and MPEG sound without a tag."""
    if type.name in MPEG_4:
        return head[4:8] == b"ftyp"
    if type.name == "image/avif":
        brands = head[8 : int.from_bytes(head[:4])] if head[4:8] == b"ftyp" else b""
        return b"avif" in brands or b"avis" in brands
    if type.name == "image/jpeg":
        return head[:3] == b"\xff\xd8\xff"
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
    """Tell whether the beginning of a file may be that of text, in whatever encoding."""
    marked = [encoding for mark, encoding in MARKS if head.startswith(mark)]
    if marked:
        return _is_text_in(marked[0], head)
    if _is_text_in("utf-8", head) or _is_text_in_bytes(head):
        return True
    # Nearly all that is no text has something in it that is no character.
    return any(_is_text_in(encoding, head) for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"))


def _is_text_in(encoding: str, head: bytes) -> bool:
    """Tell whether these bytes are characters in an encoding; the last may be cut off by the end of the head."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return False
    return not any(_is_no_text(character) for character in set(text))


def _is_no_text(character: str) -> bool:
    if unicodedata.category(character) == "Cc":
        return character < " " and character not in CONTROLS
    return unicodedata.category(character) in {"Cn", "Co", "Cs"}


def _is_text_in_bytes(head: bytes) -> bool:
    """Tell whether these bytes may be text in one of the encodings without a mark, such as Windows-1252 or Shift_JIS.

    All of them have the control characters of ASCII, which text does without, and files that are none do not.
    """
    if any(byte < 32 and chr(byte) not in CONTROLS for byte in head):
        return False
    return all(found is None or found.is_text for found in _types_by_beginning(head))
