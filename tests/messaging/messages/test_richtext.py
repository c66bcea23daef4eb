"""Links and names in texts. The page's script is tested with the same examples in tests/browser/test_richtext.py."""

import json
from pathlib import Path
from typing import TypedDict

import pytest

from accounts.models import User
from conversations.models import Conversation
from messaging.messages.richtext import Link, Name, marks_in
from messaging.web.contexts.message_html import render_links, render_text
from tests.accounts.visitor import Visitor
from tests.messaging.helpers import say


class Example(TypedDict):
    """A text, the links in it, and what stands behind an `@` outside addresses."""

    text: str
    links: list[str]
    names: list[str]


EXAMPLES: list[Example] = json.loads((Path(__file__).parent / "texts.json").read_text())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: ascii(example["text"]))
def test_links_and_names_are_found_as_in_the_shared_examples(example: Example) -> None:
    marks = list(marks_in(example["text"]))
    links = [example["text"][mark.start : mark.end] for mark in marks if isinstance(mark, Link)]
    assert links == example["links"]
    assert [mark.written for mark in marks if isinstance(mark, Name)] == example["names"]


def test_nothing_in_a_text_is_read_as_html() -> None:
    assert render_links('<b> & https://site.example/?a=1&b="2') == (
        "&lt;b&gt; &amp; "
        '<a href="https://site.example/?a=1&amp;b=" rel="noopener noreferrer nofollow" target="_blank">'
        "https://site.example/?a=1&amp;b=</a>&quot;2"
    )


def test_links_can_be_followed_without_a_script(conversation: Conversation, alice: User, bob: User) -> None:
    say(alice, conversation, "See https://site.example/a, <i>please</i>")
    page = Visitor(bob).client.get(f"/conversations/{conversation.pk}").content.decode()
    assert '<a href="https://site.example/a" rel="noopener noreferrer nofollow" target="_blank">' in page
    assert "</a>, &lt;i&gt;please&lt;/i&gt;" in page


def test_the_rendered_text_is_complete_and_keeps_its_line_ends() -> None:
    assert render_text("\r\n  Hi\r\n\r\n") == "<span hidden>\r\n</span>  Hi<span hidden>\r\n\r\n</span>"
