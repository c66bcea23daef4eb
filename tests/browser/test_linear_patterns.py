"""No text makes the page hang: every pattern of its scripts, and every function that reads text, takes linear time.

Chromium is spared some patterns that hold other browsers up; tests/checks/test_patterns.py finds those.
"""

import pytest
from django.conf import settings
from playwright.async_api import Page

from tests.browser.conftest import Enter
from tests.support.linear import AFTER, BEFORE, FLOOR_MS, LENGTH, MOST, TIMES, script_patterns, units

pytestmark = pytest.mark.long
MEASURE = """async ([files, { pattern, flags, reader }, { units, before, after, length, times, floor, most }]) => {
    const { nodesOf, marksIn } = await import(`${files}js/timeline/richtext.js`);
    const { initials } = await import(`${files}js/text/format.js`);
    const { cut } = await import(`${files}js/text/graphemes.js`);
    const { fold } = await import(`${files}js/text/fold.js`);
    const names = new Map([["sam", true]]);
    const readers = {
        nodesOf: (text) => nodesOf(text, names),
        marksIn: (text) => [...marksIn(text)],
        cut: (text) => cut(text, 160),
        initials,
        fold,
    };
    const search = (text) => {
        const made = new RegExp(pattern, flags);
        return made.global ? [...text.matchAll(made)] : made.exec(text);
    };
    const work = readers[reader] ?? search;
    const took = (text) => {
        const began = performance.now();
        work(text);
        return performance.now() - began;
    };
    const least = (text) => Math.min(...[1, 2, 3, 4, 5].map(() => took(text)));
    for (const unit of units) {
        for (const start of before) {
            const [short, long] = [length / times, length].map((n) => start + unit.repeat(n / unit.length) + after);
            if (took(long) < floor) continue;
            const time = least(long);
            if (time > floor && time > most * least(short)) return long.slice(0, 40);
        }
    }
    return null;
}"""


async def slow_text(enter: Enter, *, pattern: str = "", flags: str = "", reader: str = "") -> str | None:
    """Find a text that takes much more than four times as long when it is four times as long."""
    page: Page = (await enter()).page
    await page.goto("/accounts/login/")
    wanted = {"pattern": pattern, "flags": flags, "reader": reader}
    how = {"units": units(pattern), "before": BEFORE, "after": AFTER, "length": LENGTH, "times": TIMES}
    slow: str | None = await page.evaluate(
        MEASURE, [settings.STATIC_URL, wanted, how | {"floor": FLOOR_MS, "most": MOST}]
    )
    return slow


@pytest.mark.parametrize(("pattern", "flags"), script_patterns())
async def test_every_pattern_of_the_scripts_takes_linear_time(enter: Enter, pattern: str, flags: str) -> None:
    assert await slow_text(enter, pattern=pattern, flags=flags) is None


@pytest.mark.parametrize("reader", ["nodesOf", "marksIn", "initials", "fold", "cut"])
async def test_every_function_that_reads_text_takes_linear_time(enter: Enter, reader: str) -> None:
    assert await slow_text(enter, reader=reader) is None


async def test_this_test_detects_what_is_not_linear(enter: Enter) -> None:
    assert await slow_text(enter, pattern="(?:a|b)+c")
