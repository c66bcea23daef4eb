"""Type detection: text in any encoding, and the type of a text by the extension of its name."""

import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from accounts.models import User
from messaging.media.accepted_types import ACCEPTED_TYPES
from messaging.media.type_detection import HEAD_BYTES, head_matches
from tests.messaging.media.conftest import download, upload
from tests.support import samples
from tests.support.cases import case
from tests.support.client import Client

Phone = Callable[[User], httpx.Client]
App = Callable[[User], Awaitable[Client]]
GREETING = "Name;Größe\r\nJürgen;1\r\n"
JAPANESE = "名前,大きさ\r\n太郎,1\r\n"
RUSSIAN = "Имя;Размер\r\nИван;1\r\n"
ENCODED = [(GREETING, name) for name in ("utf-8", "utf-8-sig", "cp1252", "latin-1", "cp850", "mac-roman", "utf-7")]
ENCODED += [(JAPANESE, name) for name in ("shift-jis", "euc-jp", "iso-2022-jp", "utf-16-le", "utf-16-be", "gb18030")]
ENCODED += [(RUSSIAN, name) for name in ("utf-16", "utf-32", "utf-32-be", "cp1251", "koi8-r")]


@pytest.mark.parametrize(("text", "encoding"), ENCODED, ids=lambda value: value if len(value) < 12 else "")
@pytest.mark.parametrize("times", [1, 1000], ids=["short", "long"])
def test_text_is_text_in_any_encoding(text: str, encoding: str, times: int) -> None:
    for cut in range(3):
        # The head may end within a character.
        head = ("x" * cut + text * times).encode(encoding)[:HEAD_BYTES]
        assert head_matches(ACCEPTED_TYPES["text/csv"], head)


@pytest.mark.parametrize(
    "data",
    [
        Path("/bin/true").read_bytes(),
        samples.archive(),
        samples.picture("PNG"),
        samples.picture("JPEG"),
        samples.moving_picture(),
        zlib.compress(bytes(range(256)) * 40),
        "Grüße".encode("cp1252") + bytes(3),
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    ],
    ids=["program", "zip", "png", "jpeg", "gif", "packed", "nul", "pdf"],
)
def test_binary_data_is_not_text_in_any_encoding(data: bytes) -> None:
    assert not head_matches(ACCEPTED_TYPES["text/plain"], data[:HEAD_BYTES])


@pytest.mark.parametrize(
    ("name", "declared", "right"),
    [
        ("table.csv", "application/vnd.ms-excel", "text/csv"),
        ("table.CSV", "Application/vnd.ms-excel; charset=x", "text/csv"),
        ("table.csv", "text/plain", "text/csv"),
        ("table.csv", "application/csv", "text/csv"),
        ("notes.txt", "application/vnd.ms-excel", "text/plain"),
        ("notes.md", "text/plain", "text/markdown"),
        ("data.json", "text/plain", "application/json"),
        ("table.csv.txt", "text/plain", "text/plain"),
    ],
)
def test_the_extension_decides_the_type_of_a_text(
    phone: Phone, alice: User, name: str, declared: str, right: str
) -> None:
    media = upload(phone(alice), case("table-windows-1252.csv"), name, declared)
    got = download(phone(alice), media)
    assert (media["content_type"], media["filename"], got.headers["Content-Type"]) == (right, name, right)
    assert got.content == case("table-windows-1252.csv")
    assert got.headers["Content-Disposition"].startswith("attachment;")
