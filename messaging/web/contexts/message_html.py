"""The text of a message as HTML."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from messaging.messages.richtext import Link, marks_in

HIDDEN = "<span hidden>{}</span>"
LINK = '<a href="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>'


def render_text(text: str) -> SafeString:
    """Render a text as HTML. Blank lines around it are hidden but kept, so that copying and editing get all of it."""
    start, end = visible_range(text)
    before, after = (format_html(HIDDEN, blank) if blank else "" for blank in (text[:start], text[end:]))
    return format_html("{}{}{}", before, render_links(text[start:end]), after)


def visible_range(text: str) -> tuple[int, int]:
    """Return where a text begins and ends without the blank lines around it; spaces within its lines are kept."""
    start = text[: len(text) - len(text.lstrip())].rfind("\n") + 1
    end = max(start, len(text.rstrip()))
    return start, end if "\n" in text[end:] else len(text)


def render_links(text: str) -> SafeString:
    """Render a text as HTML in which web addresses are links; the page's script finds the same ones."""
    parts, done = [], 0
    for link in marks_in(text):
        if isinstance(link, Link):
            address = text[link.start : link.end]
            parts += [text[done : link.start], format_html(LINK, address, address)]
            done = link.end
    return format_html_join("", "{}", ((part,) for part in [*parts, text[done:]]))
