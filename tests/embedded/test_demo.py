"""The demo's people: for whoever tries it out, not for a server that others reach."""

from typing import Any

import pytest

from chatproject.embedded.__main__ import has_demo
from chatproject.embedded.address import Address
from messaging.management.demo import CAST


@pytest.mark.parametrize(
    ("environ", "made"),
    [
        ({}, True),
        ({"HOST": "localhost"}, True),
        ({"HOST": "0.0.0.0"}, False),  # noqa: S104 (nobody listens)
        ({"HOST": "::"}, False),
        ({"HOST": "192.168.1.2"}, False),
        ({"DATABASE_URL": "postgresql://elsewhere/chat"}, False),
    ],
)
def test_they_are_made_unasked_where_nobody_else_gets_in(environ: dict[str, str], made: bool) -> None:
    assert has_demo(environ, Address.of(environ)) is made


def test_a_page_for_others_says_why_they_are_missing(capsys: Any) -> None:
    environ = {"HOST": "0.0.0.0"}  # noqa: S104
    has_demo(environ, Address.of(environ))
    assert "CHAT_DEMO=1 would make them" in capsys.readouterr().out


def test_none_of_them_may_do_everything() -> None:
    assert not any(fields.get("is_superuser") for fields in CAST.values())
