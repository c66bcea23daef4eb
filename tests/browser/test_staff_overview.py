"""The layout of the staff's pages."""

import pytest
from django.urls import reverse

from accounts.models import User
from conversations.models import Conversation
from tests.browser.conftest import Enter
from tests.browser.layout import fits

pytestmark = pytest.mark.browser

# How wide a blank between two words is, in ems: a font that has no blanks for text draws far wider ones.
BLANK = """
() => {
  const width = (text) => {
    const probe = document.querySelector("h2").cloneNode();
    Object.assign(probe, { id: "", textContent: text });
    probe.style.cssText = "display: inline-block; white-space: pre; padding: 0";
    document.body.append(probe);
    return probe.getBoundingClientRect().width;
  };
  return (width("a b") - width("ab")) / parseFloat(getComputedStyle(document.querySelector("h2")).fontSize);
}
"""


async def test_the_overview_fits_every_window_and_is_compact(
    enter: Enter, staff: User, conversation: Conversation
) -> None:
    desk = await enter(staff)
    await desk.page.goto(reverse("admin:index"))
    await fits(desk)
    assert await desk.page.evaluate(BLANK) < 0.5
    await desk.page.get_by_text("Messages a day as a table").click()
    await fits(desk)
