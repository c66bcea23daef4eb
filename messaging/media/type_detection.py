"""Which type the first bytes of a file have, whatever its name and its declared type say."""

import codecs
import unicodedata

import puremagic

from messaging.media.accepted_types import ACCEPTED_TYPES, MediaType, find_type

HEAD_BYTES = 8192
"""How many bytes of a file are read to detect its type."""
MPEG_4 = {"video/mp4", "video/quicktime", "audio/mp4"}
WEBM = {"video/webm", "audio/webm"}
ZIPPED = {name for name in ACCEPTED_TYPES if name == "application/zip" or "document" in name}
TEXT_CONTROLS = "\t\n\r\f\x1a\x1b"
"""Control characters that occur in text: the last two end DOS files, and switch the alphabet in ISO 2022."""
# UTF-32 before UTF-16, because the byte order mark of UTF-16 is the beginning of that of UTF-32.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_type(declared: MediaType, head: bytes) -> MediaType | None:
    """Detect the type of a file by its first bytes: the declared one, or for an image another image type; else None."""
    others = [each for each in ACCEPTED_TYPES.values() if each.kind == declared.kind == "image"]
    return next((each for each in (declared, *others) if head_matches(each, head)), None)


def head_matches(type: MediaType, head: bytes) -> bool:
    """Tell whether a file with these first bytes may be of this type."""
    if type.is_text:
        return _is_text(head)
    found = _types_by_signature(head)
    return any(each is not None and _has_same_container(type, each) for each in found) or _matches_by_rule(type, head)


def _types_by_signature(head: bytes) -> set[MediaType | None]:
    return {find_type(each.mime_type) for each in _signature_matches(head) if each.mime_type}


def _matches_by_rule(type: MediaType, head: bytes) -> bool:
    """Check what no table of signatures can contain: the brands of MPEG-4 and AVIF, and MPEG audio without a tag."""
    if type.name in MPEG_4:
        return head[4:8] == b"ftyp"
    if type.name == "image/avif":
        brands = head[8 : int.from_bytes(head[:4])] if head[4:8] == b"ftyp" else b""
        return b"avif" in brands or b"avis" in brands
    if type.name == "image/jpeg":
        return head[:3] == b"\xff\xd8\xff"
    return type.name == "audio/mpeg" and head[:1] == b"\xff" and head[1:2] >= b"\xe0"


def _signature_matches(head: bytes) -> list[puremagic.PureMagicWithConfidence]:
    try:
        return list(puremagic.magic_string(head))
    except (puremagic.PureError, ValueError):
        return []


def _has_same_container(wanted: MediaType, found: MediaType) -> bool:
    """Tell whether two types share a container: documents are ZIP files; video and audio share MPEG-4 and WebM."""
    return wanted == found or any({wanted.name, found.name} <= family for family in (ZIPPED, MPEG_4, WEBM))


def _is_text(head: bytes) -> bool:
    """Tell whether these first bytes may be text in any encoding."""
    encodings = [encoding for mark, encoding in BYTE_ORDER_MARKS if head.startswith(mark)]
    if encodings:
        return _is_text_in(encodings[0], head)
    if _is_text_in("utf-8", head) or _is_text_in_bytes(head):
        return True
    # Nearly all files that are not text contain something that is not a character.
    return any(_is_text_in(encoding, head) for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"))


def _is_text_in(encoding: str, head: bytes) -> bool:
    """Tell whether these bytes are characters in an encoding; the last character may be cut off."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return False
    return not any(_is_not_in_text(character) for character in set(text))


def _is_not_in_text(character: str) -> bool:
    if unicodedata.category(character) == "Cc":
        return character < " " and character not in TEXT_CONTROLS
    return unicodedata.category(character) in {"Cn", "Co", "Cs"}


def _is_text_in_bytes(head: bytes) -> bool:
    """Tell whether these bytes may be text in an encoding without a byte order mark, such as Windows-1252 or Shift_JIS.

    All of these encodings share the control characters of ASCII, which text does not use and other files do.
    """
    if any(byte < 32 and chr(byte) not in TEXT_CONTROLS for byte in head):
        return False
    return all(found is None or found.is_text for found in _types_by_signature(head))
