"""Input methods use Enter themselves, and office programs paste a picture beside the text."""

import json
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from accounts.models import User
from conversations.models import Conversation
from tests.browser.conftest import Enter

pytestmark = pytest.mark.long

# Enter, as input methods press it: Chrome while it composes, Safari after it has ended the composing.
CHOOSING = [{"keyCode": 229, "isComposing": False}, {"keyCode": 13, "isComposing": True}]
PRESS = """
(field, how) => {
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...how }));
}
"""
PASTE = """
(field, { text, names }) => {
  const data = new DataTransfer();
  if (text) data.setData("text/plain", text);
  for (const name of names) data.items.add(new File(["x"], name, { type: "image/png" }));
  const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  return field.dispatchEvent(paste);
}
"""


async def choose_a_word(field: Locator, how: dict[str, Any]) -> None:
    await field.evaluate(PRESS, how)


@pytest.mark.parametrize("how", CHOOSING, ids=json.dumps)
async def test_enter_in_an_input_method_sends_nothing(
    enter: Enter, alice: User, conversation: Conversation, how: dict[str, Any]
) -> None:
    hers = await enter(alice)
    await hers.open(conversation)
    await hers.field.fill("こんにちは")
    await choose_a_word(hers.field, how)
    await expect(hers.field).to_have_value("こんにちは")
    await hers.field.press("Enter")
    await hers.shows("こんにちは")


@pytest.mark.parametrize("how", CHOOSING, ids=json.dumps)
async def test_enter_in_an_input_method_chooses_no_person(
    enter: Enter, alice: User, group: Conversation, how: dict[str, Any]
) -> None:
    hers = await enter(alice)
    await hers.open(group)
    await hers.field.press_sequentially("@bo")
    await expect(hers.page.get_by_role("option", name="Bob")).to_be_visible()
    await choose_a_word(hers.field, how)
    await expect(hers.field).to_have_value("@bo")

    await hers.goto("/conversations/new")
    people = hers.page.get_by_label("People (optional)")
    await people.press_sequentially("bo")
    await expect(hers.page.get_by_role("option", name="Bob")).to_be_visible()
    await choose_a_word(people, how)
    await expect(people).to_have_value("bo")


@pytest.mark.parametrize(
    ("text", "names", "is_text"),
    [
        ("A1\tB1\nA2\tB2", ["image.png"], True),
        ("", ["image.png"], False),
        ("one.png\ntwo.png", ["one.png", "two.png"], False),
        ("Just words", [], True),
    ],
)
async def test_pasting_from_office_programs_pastes_the_text_and_not_its_picture(
    enter: Enter, alice: User, conversation: Conversation, text: str, names: list[str], is_text: bool
) -> None:
    hers = await enter(alice)
    await hers.open(conversation)
    await hers.page.wait_for_load_state()
    goes_on = await hers.field.evaluate(PASTE, {"text": text, "names": names})
    assert goes_on == is_text
    await expect(hers.page.locator("[data-parcel]")).to_have_count(0 if is_text else len(names))
