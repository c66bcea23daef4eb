"""Truncating text between grapheme clusters (UAX #29): what people see as one character may be many code points."""

import regex

GRAPHEME = regex.compile(r"\X")


def first_grapheme(text: str) -> str:
    """Return the first grapheme of a text."""
    found = GRAPHEME.match(text)
    return found[0] if found else ""


def truncate(text: str, most: int) -> str:
    """Return as many whole graphemes as fit into `most` code points; a part of the first one if that is longer."""
    if len(text) <= most:
        return text
    end = 0
    for found in GRAPHEME.finditer(text):
        if found.end() > most:
            break
        end = found.end()
    return text[: end or most]


def truncate_with_dots(text: str, most: int) -> str:
    """Truncate a text, with an ellipsis if something was left out."""
    return text if len(text) <= most else f"{truncate(text, most)}…"
