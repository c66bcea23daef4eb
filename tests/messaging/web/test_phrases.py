"""The sentences of the pages, filled in."""

import pytest

from messaging.web.phrases import fill


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Bob", "Bob added you."),
        ("Łukasz 🙂", "Łukasz 🙂 added you."),
        ("שלום", "\u2068שלום\u2069 added you."),
        ("Bob بوب", "\u2068Bob بوب\u2069 added you."),
        ("{whom}", "{whom} added you."),
    ],
)
def test_a_name_does_not_reverse_the_text_beside_it(name: str, said: str) -> None:
    assert fill("{who} added {whom}.", who=name, whom="you") == said
