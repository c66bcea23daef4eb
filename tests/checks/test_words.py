"""The sentences of the pages: each is there in every language, with the same places to fill in, and compiled."""

import re
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.utils.translation import override

from messaging.web.phrases import patterns

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = sorted(ROOT.glob("*/locale/*/LC_MESSAGES/django.po"))
MARKED = re.compile(r'{% translate "([^"]+)" %}|{% blocktranslate trimmed %}(.+?){% endblocktranslate %}')


def places(text: str) -> list[str]:
    return sorted(re.findall(r"{\w+}|%\(\w+\)s", text))


def of_pages() -> set[str]:
    """Give the sentences of the pages, which `messaging` translates."""
    with override("en-gb"):
        return {pattern for key, pattern in patterns().items() if key != "lang"}


def of_mail() -> set[str]:
    """Give the sentences of our mail, which `accounts` translates."""
    mails = "".join(path.read_text() for path in ROOT.glob("templates/*/email/*.txt"))
    marked = [plain or filled for plain, filled in MARKED.findall(mails)]
    return {re.sub(r"{{ (\w+) }}", r"%(\1)s", each) for each in marked}


WANTED = {"messaging": of_pages, "accounts": of_mail}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-5]} {path.parts[-3]}")
def test_a_catalogue_says_everything_and_is_compiled(path: Path) -> None:
    wanted = WANTED[path.parts[-5]]()
    with path.open("rb") as source, path.with_suffix(".mo").open("rb") as compiled:
        found, used = {str(each.id): str(each.string) for each in read_po(source) if each.id}, GNUTranslations(compiled)
    assert found.keys() == wanted
    assert [said for said, words in found.items() if places(said) != places(words)] == []
    assert {said: used.gettext(said) for said in found} == found, "run make words"
