"""The page's script finds the same links and names in texts as the server."""

import unicodedata
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from playwright.async_api import Page, expect

from accounts.models import User
from accounts.web.person_view import initials
from chatproject.core.graphemes import truncate
from chatproject.core.text import fold
from conversations.models import Conversation
from messaging.messages.richtext import Link, marks_in
from messaging.web.contexts.message_html import render_text
from tests.browser.conftest import Enter
from tests.messaging.helpers import say
from tests.messaging.messages.test_richtext import EXAMPLES

pytestmark = pytest.mark.long

FIND = """async ([files, texts]) => {
    const { marksIn } = await import(`${files}js/timeline/richtext.js`);
    return texts.map((text) => {
        const marks = [...marksIn(text)];
        const links = marks.filter(({ end }) => end).map(({ start, end }) => text.slice(start, end));
        return { text, links, names: marks.filter(({ name }) => name).map(({ name }) => name) };
    });
}"""
DRAW = """async ([files, text, names]) => {
    const { nodesOf } = await import(`${files}js/timeline/richtext.js`);
    return nodesOf(text, new Map(names.map((name) => [name, false])))
        .filter(({ nodeType, className }) => nodeType === 1 && className === "mention")
        .map(({ textContent }) => textContent);
}"""
USE = """async ([files, module, name, values]) => {
    const use = (await import(`${files}js/text/${module}.js`))[name];
    return values.map((value) => use(...value));
}"""
FILES = settings.STATIC_URL
LETTERS = [chr(n) for n in range(0x20000) if unicodedata.category(chr(n)) not in {"Cn", "Cs", "Lo"} or n < 0x1000]
FAMILY = "👨\u200d👩\u200d👧"


async def blank(enter: Enter) -> Page:
    """A page of the site without a signed-in person."""
    window = await enter()
    await window.goto("/accounts/login/")
    return window.page


async def test_the_script_finds_what_the_server_finds(enter: Enter) -> None:
    page = await blank(enter)
    assert await page.evaluate(FIND, [FILES, [example["text"] for example in EXAMPLES]]) == EXAMPLES


async def test_the_script_ends_a_link_at_the_same_characters_as_the_server(enter: Enter) -> None:
    page = await blank(enter)
    texts = [f"{letter}https://site.example/a{letter}b @{letter}BEN" for letter in LETTERS]
    found = await page.evaluate(FIND, [FILES, texts])
    differing = [each["text"] for each in found if each["links"] != links_in(each["text"])]
    assert [ascii(text) for text in differing] == []


def links_in(text: str) -> list[str]:
    return [text[mark.start : mark.end] for mark in marks_in(text) if isinstance(mark, Link)]


@pytest.mark.parametrize(
    ("text", "people", "drawn"),
    [
        ("thanks @sam.", ["sam", "sam."], ["@sam"]),
        ("thanks @sam.", ["sam."], ["@sam."]),
        ("@Sam-_.", ["sam-"], ["@Sam-"]),
        ("@STRASSE @Straße", ["strasse"], ["@STRASSE", "@Straße"]),
        ("https://posts.example/@sam @sam", ["sam"], ["@sam"]),
        ("@samuel @sam.uel x@sam", ["sam"], []),
    ],
)
async def test_mentioned_names_are_highlighted(enter: Enter, text: str, people: list[str], drawn: list[str]) -> None:
    page = await blank(enter)
    assert await page.evaluate(DRAW, [FILES, text, people]) == drawn


@pytest.mark.parametrize(
    ("module", "name", "ours", "values"),
    [
        ("fold", "fold", fold, ["Straße", "STRASSE", "ẞ", "ΟΔΟΣ", "οδος", "İIıi", "Zoe\u0308", "ǆ", "ﬁ", "\u212a"]),
        ("format", "initials", initials, ["Ann Bell", f"{FAMILY} {FAMILY}", "🇩🇪", "e\u0301mile zola", "(x) y z", ""]),
        ("graphemes", "cut", truncate, [(f"ab{FAMILY}", 4), (f"ab{FAMILY}", 7), (FAMILY, 2), ("", 3), ("e\u0301", 1)]),
    ],
)
async def test_the_script_folds_and_cuts_text_as_the_server_does(
    enter: Enter, module: str, name: str, ours: Any, values: list[Any]
) -> None:
    page = await blank(enter)
    given = [value if isinstance(value, tuple) else (value,) for value in values]
    assert await page.evaluate(USE, [FILES, module, name, given]) == [ours(*each) for each in given]


BLANK_AROUND = [
    "\n\n\nHi",
    "Hi\n\n\n",
    "  \n \t \n  Hi\n \n",
    "\n  def f():\n\n\treturn @bob\n",
    "  Hi",
    "Hi  ",
    "\r\nHi\r\n",
    "\n",
    "",
]


async def test_blank_lines_around_a_text_are_hidden_and_not_lost(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    texts = ["One line", *BLANK_AROUND[:3], "  Indented"]
    for text in texts[:3]:
        await sync_to_async(say)(bob, conversation, text)
    hers = await enter(alice)
    await hers.open(conversation)
    for text in texts[3:]:
        await sync_to_async(say)(bob, conversation, text)
    await expect(hers.said).to_have_count(5)
    assert await hers.said.evaluate_all("all => all.map(each => each.textContent)") == texts
    heights = "all => all.map(each => each.closest('[data-bubble]').offsetHeight)"
    assert len(set(await hers.said.evaluate_all(heights))) == 1


@pytest.mark.parametrize("text", BLANK_AROUND, ids=ascii)
async def test_the_script_draws_blank_lines_as_the_server_does(enter: Enter, text: str) -> None:
    page = await blank(enter)
    drawn_here = await page.evaluate(
        """async ([files, text]) => {
            const { nodesOf } = await import(`${files}js/timeline/richtext.js`);
            const box = document.createElement("p");
            box.append(...nodesOf(text));
            return box.innerHTML.replaceAll('hidden=""', "hidden");
        }""",
        [FILES, text],
    )
    assert drawn_here == render_text(text)
