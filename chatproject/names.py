"""What names may be made of: there is something to see, and nothing around a name looks otherwise because of it."""

import unicodedata

BREAKS = frozenset({"Cc", "Zl", "Zp"})
"""Categories of control characters and of ends of lines."""
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates of the Unicode Bidirectional Algorithm (UAX 9). Its marks are left alone."""
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as nothing: fillers of Hangul, and Braille without a dot."""
TAGS = range(0xE0000, 0xE1000)


def fault_in(name: str) -> str | None:
    """Say what is wrong with what somebody or something is to be called; None if nothing is."""
    if any(letter in TURNS or unicodedata.category(letter) in BREAKS for letter in name):
        return "A name holds no control characters."
    if not any(map(_is_seen, name)):
        return "A name needs something to see."
    return None


def _is_seen(letter: str) -> bool:
    """Tell whether a character alone is drawn; those too new for Python's tables are taken to be."""
    if letter in BLANKS or ord(letter) in TAGS:
        return False
    category = unicodedata.category(letter)
    return category[0] in "LNPS" or category in {"Cn", "Co"}
