"""Which characters texts and names may have: something visible, and in names nothing that changes the text around."""

import unicodedata

from chatproject.core.errors import Invalid

CONTROL_CATEGORIES = frozenset({"Cc", "Zl", "Zp"})
"""Unicode categories of control characters and line separators."""
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates of the Unicode Bidirectional Algorithm (UAX #9). Its marks are allowed."""
BLANKS = frozenset("\u115f\u1160\u2065\u2800\u3164\uffa0\U00013441\U00013442\U0001d159")
"""Letters and symbols that are displayed as nothing, such as Hangul fillers and Braille without a dot."""
TAGS = range(0xE0000, 0xE1000)
UNASSIGNED_BLANKS = range(0xFFF0, 0xFFF9)
REASON_LENGTH = 500


def name_error(name: str) -> str | None:
    """Return what is wrong with a name, in a sentence for people; None if nothing is."""
    if any(letter in BIDI_CONTROLS or unicodedata.category(letter) in CONTROL_CATEGORIES for letter in name):
        return "A name holds no control characters."
    if not is_visible(name):
        return "A name needs something to see."
    return None


def is_visible(text: str) -> bool:
    """Tell whether a text has a visible character: not only spaces, zero-width characters, fillers and lone marks."""
    return any(map(_is_visible_letter, text))


def fold(text: str) -> str:
    """Make letters equal that differ only in case or Unicode normal form, by full case folding.

    The dotted and dotless i of Turkish count as one letter, because their upper and lower cases differ from elsewhere.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFC", folded.replace("i\u0307", "i").replace("ı", "i"))


def require_storable(text: str, *, pointer: str) -> None:
    """Raise Invalid unless PostgreSQL can store a text unchanged."""
    try:
        is_storable = b"\0" not in text.encode()
    except UnicodeEncodeError:
        is_storable = False
    if not is_storable:
        raise Invalid("This text holds NUL or half a character.", pointer=pointer)


def require_reason(text: str, *, pointer: str = "/reason") -> str:
    """Trim a reason; Invalid unless it has 1 to 500 code points, at least one of them visible."""
    reason = text.strip()
    if not is_visible(reason) or len(reason) > REASON_LENGTH:
        raise Invalid(f"Give a reason, of at most {REASON_LENGTH} characters.", pointer=pointer)
    require_storable(reason, pointer=pointer)
    return reason


def _is_visible_letter(letter: str) -> bool:
    """Tell whether a character alone is visible; those too new for Python's tables are assumed to be."""
    if "!" <= letter <= "~":
        return True
    if letter in BLANKS or ord(letter) in TAGS or ord(letter) in UNASSIGNED_BLANKS:
        return False
    category = unicodedata.category(letter)
    return category[0] in "LNPS" or category in {"Cn", "Co"}
