"""No text from outside holds a process or a page up: what reads one takes a time that is linear in its length.

All patterns of our own code and of the page's script are found by themselves, so that a new one is tried as well.
"""

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import regex
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, RegexValidator

from accounts.people.devices import device_words
from accounts.usernames import fold_username
from accounts.wallets.siwe import SignInMessage
from accounts.web.person_view import initials
from chatproject.core.graphemes import truncate
from chatproject.core.text import is_visible, name_error
from messaging.messages.mentions import names_in
from messaging.socket.commands import BadFrame, decode
from messaging.web.contexts.message_html import render_links
from tests.checks.test_layers import MODULES
from tests.support.linear import FLOOR_MS, MOST, script_patterns, texts, uses_that_are_missed

Pattern = re.Pattern[str] | regex.Pattern[str]
METHODS = {"search", "match", "fullmatch", "findall", "finditer", "sub", "split"}
READERS: dict[str, Callable[[str], object]] = {
    "names_in": names_in,
    "linked": render_links,
    "is_visible": is_visible,
    "name_error": name_error,
    "fold_username": fold_username,
    "cut": lambda text: truncate(text, 160),
    "initials": initials,
    "device_words": device_words,
    "eip4361": SignInMessage.read,
    "email": EmailValidator(),
    "frame": lambda text: decode(f'{{"type": "{text}"'),
}


def named_patterns(module: str) -> dict[str, Pattern]:
    """Find the patterns that a module has made: its own names for them, in tables and validators too."""
    found: dict[str, Pattern] = {}
    for name, value in vars(importlib.import_module(module)).items():
        values = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        for each in values:
            pattern = each.regex if isinstance(each, RegexValidator) else each
            if isinstance(pattern, re.Pattern | regex.Pattern):
                found[f"{name} {pattern.pattern[:40]}"] = pattern
    return found


def calls(module: str) -> Iterator[ast.Call]:
    """Give the calls of `re` and `regex` in a module."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            origin = node.func.value
            if isinstance(origin, ast.Name) and origin.id in {"re", "regex"}:
                yield node


def ways(module: str, name: str) -> set[str]:
    """Find how a module uses a pattern of its own; `search` has the most to try."""
    used = set(re.findall(rf"\b{name}\.({'|'.join(METHODS)})\b", MODULES[module].read_text()))
    return used or {"search"}


def uses() -> Iterator[Any]:
    """Give every pattern with each way in which it is used."""
    for module in MODULES:
        if not any(calls(module)) and "RegexValidator" not in MODULES[module].read_text():
            continue
        for label, pattern in named_patterns(module).items():
            for way in ways(module, label.split()[0]):
                yield pytest.param(pattern, way, id=f"{module} {label} {way}")
        for call in calls(module):
            way = call.func.attr  # type: ignore[attr-defined]
            if way in METHODS and isinstance(call.args[0], ast.Constant):
                written = str(call.args[0].value)
                yield pytest.param(re.compile(written), way, id=f"{module} {written} {way}")


def milliseconds(work: Callable[[str], object], text: str) -> float:
    """Measure the processor's time, which does not count what others do on this machine."""
    began = time.thread_time()
    with suppress(ValueError, ValidationError, BadFrame):
        work(text)
    return (time.thread_time() - began) * 1000


def slow_text(work: Callable[[str], object], pattern: str = "") -> str | None:
    """Find a text that takes much more than four times as long when it is four times as long; None if there is none."""
    slow = (long[:40] for short, long in texts(pattern) if not _is_linear(work, short, long))
    return next(slow, None)


def _is_linear(work: Callable[[str], object], short: str, long: str) -> bool:
    if milliseconds(work, long) < FLOOR_MS:
        return True
    least = [min(milliseconds(work, text) for _ in range(3)) for text in (short, long)]
    return least[1] < FLOOR_MS or least[1] < MOST * least[0]


def worker(pattern: Pattern, way: str) -> Callable[[str], object]:
    """Use a pattern on a text, to the end."""
    use = getattr(pattern, way)
    if way == "sub":
        return lambda text: use("", text)
    return lambda text: list(use(text) or ()) if way == "finditer" else use(text)


@pytest.mark.parametrize(("pattern", "way"), [*uses()])
def test_every_pattern_takes_a_linear_time(pattern: Pattern, way: str) -> None:
    assert slow_text(worker(pattern, way), pattern.pattern) is None


@pytest.mark.parametrize(("pattern", "flags"), script_patterns())
def test_every_pattern_of_the_script_takes_a_linear_time(pattern: str, flags: str) -> None:
    """Browsers differ in what they spare themselves; this is an engine that tries everything."""
    assert slow_text(worker(regex.compile(pattern), "match" if "y" in flags else "search"), pattern) is None


def test_every_pattern_of_the_script_is_found() -> None:
    assert uses_that_are_missed() == []


@pytest.mark.parametrize("name", [*READERS])
def test_whatever_reads_a_text_from_outside_takes_a_linear_time(name: str) -> None:
    assert slow_text(READERS[name]) is None


@pytest.mark.parametrize("module", [module for module in MODULES if any(calls(module))])
def test_every_pattern_stands_where_this_check_finds_it(module: str) -> None:
    """It is compiled at the top of its module, or written in the call itself."""
    top = [node for node in ast.parse(MODULES[module].read_text()).body if isinstance(node, ast.Assign)]
    named = {call.lineno for node in top for call in ast.walk(node) if isinstance(call, ast.Call)}
    hidden = [
        call.lineno
        for call in calls(module)
        if call.func.attr in METHODS | {"compile"}  # type: ignore[attr-defined]
        and not (call.func.attr == "compile" and call.lineno in named)  # type: ignore[attr-defined]
        and not isinstance(call.args[0], ast.Constant)
    ]
    assert hidden == []


@pytest.mark.long
@pytest.mark.parametrize("pattern", [r"[._-]+$", r"\s+$", r"\[[^\]]*\]\("])
@pytest.mark.parametrize("engine", [re, regex], ids=["re", "regex"])
def test_this_check_sees_what_is_not_linear(pattern: str, engine: Any) -> None:
    assert slow_text(worker(engine.compile(pattern), "search"), pattern)
