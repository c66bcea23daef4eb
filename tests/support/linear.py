"""Is the time linear in the length of what is read? Texts that lead a backtracking pattern astray, and how to judge."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

LENGTH = 16_000
TIMES = 4
MOST = 9
"""Four times the text takes about four times as long; with the square of the length it is sixteen times."""
FLOOR_MS = 25
"""What is done sooner holds nothing up, and is too short to be compared."""
SIGNS = (*"a0_.-+ /:@[({\n\"'!,\u0301", "a.", "a-", "._", "@a", "a:/", "https://", "https://a.b/", "https://a.b/)")
BEFORE = ("", "@", "https://", "https://a.b/", "[", "{", "0x")
AFTER = "\x01"
"""Nothing that a pattern knows, so that one with an end has to try all it can."""

SCRIPTS = sorted((Path(settings.BASE_DIR) / "static/js").rglob("*.js"))
COMMENT = re.compile(r"^\s*(?://|/?\*).*$", re.MULTILINE)
LITERAL = re.compile(
    r"(?<=[=(,:?&|!;{}>\[\n])\s*/(?![/*])((?:[^\\/\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)/([a-z]*)(?=[\s.,;)\]])"
)
"""A pattern in a script, told from a division by what stands before it."""
USE = re.compile(
    r"\.(?:replace|replaceAll|match|matchAll|split|search)\(\s*/|/[a-z]*\.(?:test|exec)\(|new RegExp\((?!MARK)"
)


def script() -> str:
    """Give the text of all our scripts, without comments."""
    return "\n".join(COMMENT.sub("", path.read_text()) for path in SCRIPTS)


def script_patterns() -> list[tuple[str, str]]:
    """Find the patterns in our scripts, each with its flags."""
    return sorted({(found[1], found[2]) for found in LITERAL.finditer(script())})


def uses_that_are_missed() -> list[str]:
    """Find uses of patterns in our scripts that `script_patterns` does not know."""
    return USE.findall(LITERAL.sub("", script()))


def units(pattern: str = "") -> list[str]:
    """Give what suspicious texts repeat: signs that patterns often speak of, and the letters and words of this one."""
    own = re.findall(r"[A-Za-z]{2,12}|[^\w\s\\]", pattern)
    return list(dict.fromkeys([*SIGNS, *own]))


def texts(pattern: str = "") -> Iterator[tuple[str, str]]:
    """Give suspicious texts, each in a quarter of the length and in all of it."""
    for unit in units(pattern):
        for before in BEFORE:
            yield _text(before, unit, LENGTH // TIMES), _text(before, unit, LENGTH)


def _text(before: str, unit: str, length: int) -> str:
    return before + unit * (length // len(unit)) + AFTER
