"""Links and names in a text: web addresses to click, and possible usernames behind an `@`.

`static/js/timeline/richtext.js` reads texts by the same grammar; `tests/messaging/messages/texts.json` tests both.
Where a link ends follows UTS #58: sentence marks end it only where nothing else follows, a closing bracket only where
it was not opened within the link. The time is linear in the length of the text: what is read is never read again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import regex

NAME_LETTERS = r"A-Za-z0-9_.\-\u00df\u1e9e\u017f\u0130\u0307\u212a\ufb00-\ufb06"
"""Letters of usernames, and those that case folding turns into some, such as ß, the Kelvin sign and ligatures."""
MARK = regex.compile(
    r"(?<![A-Za-z0-9_])(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?://)"
    # Addresses of other kinds: any scheme, a path on a host (`host:~`), a host with a path.
    r"|(?<=[\p{L}\p{N}])(?::[/~]|\.[\p{L}\p{N}-]+(?::[0-9]{1,5})?/)"
    rf"|@(?<![\p{{L}}\p{{N}}_]\p{{M}}*@)(?P<name>[{NAME_LETTERS}]+)"
)
AUTHORITY = regex.compile(r"\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?|[\p{L}\p{M}\p{N}\p{So}._@:-]*")
OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
LABEL = r"(?!-)[\p{L}\p{M}\p{N}\p{So}_-]{1,63}(?<!-)"
HOST = regex.compile(
    rf"(?:localhost|{OCTET}(?:\.{OCTET}){{3}}|\[[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]"
    rf"|(?:{LABEL}\.){{1,126}}(?![0-9]+(?![^.:]))(?=[^.:]{{2}}){LABEL}\.?)(?::[0-9]{{1,5}})?"
)
# Sentence marks, quotation marks and brackets beyond ASCII end a link, as do spaces and what is not seen.
PLAIN = regex.compile(
    r"(?:[!'*,.:;?\u2019]|[^\s<>\x22`()\[\]{}\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Terminal_Punctuation}"
    r"\u00a1\u00bf\u2026\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0])*"
)
CLOSING = {"(": ")", "[": "]", "{": "}"}
SENTENCE_MARKS = ".,;:!?'\u2019"


@dataclass(frozen=True, slots=True)
class Link:
    """A web address in a text, from `start` to `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """A possible username behind an `@`, as it is written; `start` is the index of the `@`."""

    start: int
    written: str


def marks_in(text: str) -> Iterator[Link | Name]:
    """Find links, and names that stand outside addresses, in the order of the text."""
    index = address_end = 0
    while found := MARK.search(text, index):
        start, index = found.span()
        if found["name"]:
            if start >= address_end:
                yield Name(start, found["name"])
        elif found["scheme"] and (end := _end_of_link(text, index)):
            yield Link(start, end)
            index = end
            address_end = max(address_end, end)
        elif start >= address_end:
            address_end = _end_of_address(text, index)


def _end_of_link(text: str, index: int) -> int | None:
    """Find the end of a link whose host begins here; None if that is no host."""
    end = _after(AUTHORITY, text, index)
    if text[end : end + 1] in {"/", "?", "#"}:
        return _end_of_address(text, end) if HOST.fullmatch(text, index, end) else None
    end = _without_marks(text, end, least=index)
    return end if HOST.fullmatch(text, index, end) else None


def _end_of_address(text: str, index: int) -> int:
    """Find the end of an address that this index is in."""
    end, open_brackets = index, []
    while True:
        end = _after(PLAIN, text, end)
        sign = text[end : end + 1]
        if sign in CLOSING:
            open_brackets.append(CLOSING[sign])
        elif not open_brackets or sign != open_brackets.pop():
            return _without_marks(text, end, least=index)
        end += 1


def _after(pattern: regex.Pattern[str], text: str, index: int) -> int:
    """Find the end of what a pattern matches here; it may match the empty string."""
    found = pattern.match(text, index)
    return found.end() if found else index


def _without_marks(text: str, end: int, *, least: int) -> int:
    """Leave out punctuation that ends the sentence, not the address, and brackets that are not closed."""
    while end > least and (text[end - 1] in SENTENCE_MARKS or text[end - 1] in CLOSING):
        end -= 1
    return end
