"""The sentences of the pages: each is there in every language, with the same places to fill in, and compiled."""

import re
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.utils.translation import override

from messaging.words import patterns

CATALOGUES = sorted((Path(__file__).resolve().parents[2] / "messaging" / "locale").glob("*/LC_MESSAGES/django.po"))


def places(text: str) -> list[str]:
    return sorted(re.findall(r"{\w+}", text))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_a_catalogue_says_everything_and_is_compiled(path: Path) -> None:
    with override("en-gb"):
        wanted = {pattern for key, pattern in patterns().items() if key != "lang"}
    with path.open("rb") as source, path.with_suffix(".mo").open("rb") as compiled:
        found, used = {str(each.id): str(each.string) for each in read_po(source) if each.id}, GNUTranslations(compiled)
    assert found.keys() == wanted
    assert [said for said, words in found.items() if places(said) != places(words)] == []
    assert {said: used.gettext(said) for said in found} == found, "run make words"
