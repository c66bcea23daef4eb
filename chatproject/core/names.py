"""What names may be made of: there is something to see, and nothing around a name looks otherwise because of it."""

import unicodedata

BREAKS = frozenset({"Cc", "Zl", "Zp"})
"""Categories of control characters and of ends of lines."""
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates of the Unicode Bidirectional Algorithm (UAX 9). Its marks are left alone."""
BLANKS = frozenset("\u115f\u1160\u2065\u2800\u3164\uffa0\U00013441\U00013442\U0001d159")
"""Letters and symbols that are drawn as nothing, as fillers of Hangul and Braille without a dot."""
TAGS = range(0xE0000, 0xE1000)
UNASSIGNED_BLANKS = range(0xFFF0, 0xFFF9)


def name_error(name: str) -> str | None:
    """Say what is wrong with what somebody or something is to be called; None if nothing is."""
    if any(letter in TURNS or unicodedata.category(letter) in BREAKS for letter in name):
        return "A name holds no control characters."
    if not is_visible(name):
        return "A name needs something to see."
    return None


def is_visible(text: str) -> bool:
    """Tell whether a text has anything to see: not only spaces, characters without a width, fillers and lone marks."""
    return any(map(_is_seen, text))


def fold(text: str) -> str:
    """Make letters the same that differ in nothing but case or Unicode form, by full case folding.

    The two letters i of Turkish count as one, for there each is the other case of what is another letter elsewhere.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFC", folded.replace("i\u0307", "i").replace("ı", "i"))


def _is_seen(letter: str) -> bool:
    """Tell whether a character alone is drawn; those too new for Python's tables are taken to be."""
    if "!" <= letter <= "~":
        return True
    if letter in BLANKS or ord(letter) in TAGS or ord(letter) in UNASSIGNED_BLANKS:
        return False
    category = unicodedata.category(letter)
    return category[0] in "LNPS" or category in {"Cn", "Co"}
