"""Compile the translations: each `django.po` into the `django.mo` beside it, without any program but this."""

import ast
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

MAGIC, HEADER = 0x950412DE, 28


def entries(text: str) -> Iterator[tuple[str, str]]:
    """Read the messages of a catalogue with their translations; a text may go on in the lines below it."""
    found: dict[str, str] = {}
    field = ""
    for line in [*text.splitlines(), 'msgid ""']:
        keyword, _, quoted = line.partition('"')
        if keyword.strip() == "msgid":
            if found.get("msgstr"):
                yield found["msgid"], found["msgstr"]
            found = {}
        if quoted and not line.startswith("#"):
            field = keyword.strip() or field
            found[field] = found.get(field, "") + ast.literal_eval(f'"{quoted}')


def compiled(text: str) -> bytes:
    """Write a catalogue in the binary form of gettext: two tables of lengths and offsets, then the texts."""
    pairs = sorted((one.encode(), other.encode()) for one, other in entries(text))
    texts, tables = b"", b""
    start = HEADER + 16 * len(pairs)
    for column in zip(*pairs, strict=True):
        for each in column:
            tables += struct.pack("<II", len(each), start + len(texts))
            texts += each + b"\0"
    header = struct.pack("<7I", MAGIC, 0, len(pairs), HEADER, HEADER + 8 * len(pairs), 0, HEADER + 16 * len(pairs))
    return header + tables + texts


class Command(BaseCommand):
    help = "Compiles the translations of every language."

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in settings.LOCALE_PATHS:
            for path in Path(folder).glob("*/LC_MESSAGES/*.po"):
                path.with_suffix(".mo").write_bytes(compiled(path.read_text()))
