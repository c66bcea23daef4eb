"""The sentences of the pages: each is there in every language, with the same places to fill in, and compiled."""

import gettext
import re
from pathlib import Path

import pytest
from django.utils.translation import override

from chatproject.management.commands.compile_words import compiled, entries
from messaging.words import patterns

CATALOGUES = sorted((Path(__file__).resolve().parents[2] / "locale").glob("*/LC_MESSAGES/django.po"))


def places(text: str) -> list[str]:
    return sorted(re.findall(r"{\w+}", text))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_a_catalogue_says_everything_and_is_compiled(path: Path) -> None:
    with override("en-gb"):
        wanted = {pattern for key, pattern in patterns().items() if key != "lang"}
    found = dict(entries(path.read_text()))
    assert found.keys() - {""} == wanted
    assert [said for said, words in found.items() if said and places(said) != places(words)] == []
    assert path.with_suffix(".mo").read_bytes() == compiled(path.read_text()), "run manage.py compile_words"


def test_gettext_reads_what_is_compiled(tmp_path: Path) -> None:
    made = tmp_path / "django.mo"
    made.write_bytes(
        compiled('msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "a"\nmsgstr "ä"\n')
    )
    with made.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("a") == "ä"
