"""Texts cut between what people see as single characters: grapheme clusters (UAX #29), of one code point or more."""

import regex

GRAPHEME = regex.compile(r"\X")


def first_grapheme(text: str) -> str:
    """Give the first grapheme of a text."""
    found = GRAPHEME.match(text)
    return found[0] if found else ""


def truncate(text: str, most: int) -> str:
    """Give as many whole graphemes of a text as fit into so many code points; of one that is too long alone, a part."""
    if len(text) <= most:
        return text
    end = 0
    for found in GRAPHEME.finditer(text):
        if found.end() > most:
            break
        end = found.end()
    return text[: end or most]


def truncate_with_dots(text: str, most: int) -> str:
    """Cut a text, and show by dots that there was more."""
    return text if len(text) <= most else f"{truncate(text, most)}…"
