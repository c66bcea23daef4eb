"""Names that are hard to show: very long, with stacked marks, or right-to-left."""

from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import expect

from accounts.models import User
from conversations.creation import create_group
from conversations.models import Conversation
from messaging.messages.json import MessageJSON
from tests.browser.conftest import Enter
from tests.browser.layout import fits
from tests.messaging.helpers import say

pytestmark = pytest.mark.long

LONG = "W" * 80
ZALGO = "Z" + "\u0310\u0300\u0316" * 26 + "x"
RIGHT_TO_LEFT = "שלום עולם"
TOO_WIDE = "(box) => box.scrollWidth - box.clientWidth"
ISOLATED = "(box) => getComputedStyle(box).unicodeBidi"


@pytest.fixture(params=[LONG, ZALGO, RIGHT_TO_LEFT], ids=["long", "marks", "right to left"])
def dora(request: pytest.FixtureRequest, person: Any) -> User:
    return person("dora", display_name=request.param)


@pytest.fixture
def club(dora: User, alice: User) -> Conversation:
    """A group with the same name as its creator."""
    return create_group(by=dora, name=dora.display_name, participants=[alice])


@pytest.fixture
def said(dora: User, alice: User, club: Conversation) -> MessageJSON:
    message = say(dora, club, f"Hi @alice {ZALGO}")
    say(alice, club, "Well?", reply_to_id=UUID(message["id"]))
    return message


async def test_no_name_breaks_a_page(
    enter: Enter, alice: User, dora: User, club: Conversation, said: MessageJSON
) -> None:
    hers = await enter(alice)
    for path in (
        f"conversations/{club.pk}",
        f"conversations/{club.pk}/info",
        f"people/{dora.pk}",
        f"messages/{said['id']}",
    ):
        await hers.goto(f"/{path}")
        await fits(hers)
        for box in await hers.page.locator("[data-scroller], .app__scroll").all():
            assert await box.evaluate(TOO_WIDE) <= 0, path


async def test_a_name_stays_within_its_row_and_does_not_reorder_text(
    enter: Enter, alice: User, dora: User, club: Conversation, said: MessageJSON
) -> None:
    hers = await enter(alice)
    await hers.open(club)
    shown = hers.page.get_by_text(dora.display_name, exact=True).filter(visible=True)
    await expect(shown).to_have_count(4)  # In the inbox, above the messages, above the first and above the quote of it.
    for name in await shown.all():
        assert await name.evaluate("(box) => getComputedStyle(box).overflowY") in {"hidden", "clip"}
        assert await name.evaluate(ISOLATED) in {"isolate", "plaintext"}
