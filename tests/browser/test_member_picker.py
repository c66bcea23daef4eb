"""People are found by name, by keyboard and by mouse, so that nobody needs to know usernames."""

from collections.abc import Callable

import pytest
from playwright.async_api import expect

from accounts.models import User
from conversations.contacts.blocks import block
from tests.browser.conftest import Enter
from tests.browser.layout import fits
from tests.browser.window import Troubles

pytestmark = pytest.mark.long


@pytest.fixture
def millers(person: Callable[..., User], alice: User) -> list[User]:
    """Three people with one family name, one of whom has blocked Alice."""
    found = [person(f"m{n}", display_name=f"Miller {name}") for n, name in ((177, "Anna"), (293, "Ben"), (345, "Cleo"))]
    block(by=found[2], other=alice)
    return found


async def test_a_person_is_found_and_written_to_by_keyboard_alone(
    enter: Enter, alice: User, millers: list[User]
) -> None:
    hers = await enter(alice)
    page, keys = hers.page, hers.page.keyboard
    await hers.goto("/conversations/new")
    field = page.get_by_role("combobox", name="Name or username")
    await expect(field).to_have_attribute("aria-expanded", "false")
    await field.press_sequentially("Miller ")
    options = page.get_by_role("option")
    await expect(options).to_have_text(["MAMiller Anna@m177", "MBMiller Ben@m293"])
    await expect(field).to_have_attribute("aria-expanded", "true")
    await fits(hers)
    await keys.press("ArrowDown")
    chosen = await options.nth(1).get_attribute("id")
    await expect(field).to_have_attribute("aria-activedescendant", chosen or "")
    await keys.press("Enter")
    await expect(field).to_have_attribute("aria-expanded", "false")
    await expect(page.get_by_role("button", name="Miller Ben")).to_be_visible()
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="Miller Ben")).to_be_visible()


async def test_people_are_chosen_for_a_group_and_removed_again(
    enter: Enter, alice: User, bob: User, millers: list[User]
) -> None:
    hers = await enter(alice)
    page = hers.page
    await hers.goto("/conversations/new")
    await page.get_by_label("Name", exact=True).fill("Family")
    field = page.get_by_role("combobox", name="People (optional)")
    for name in ("Miller Anna", "Miller Ben"):
        await field.press_sequentially("mill")
        await page.get_by_role("option", name=name).click()
    await field.press_sequentially("mill")
    await expect(page.get_by_text("No one found.")).to_be_visible()
    await field.fill("")
    await field.press("Backspace")
    await expect(page.get_by_role("button", name="Miller Ben")).to_be_hidden()
    await field.press_sequentially("bob,")
    await page.get_by_role("button", name="Make the group").click()
    await expect(page.get_by_text("3 members")).to_be_visible()


async def test_without_scripts_a_name_is_searched_for(
    enter: Enter, alice: User, millers: list[User], troubles: Troubles
) -> None:
    troubles.expect("status of 400")
    hers = await enter(alice, java_script_enabled=False)
    page = hers.page
    await hers.goto("/conversations/new")
    await page.get_by_label("Name or username").fill("Miller")
    await page.get_by_role("button", name="Start").click()
    await page.get_by_label("Miller Anna").check()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", name="Miller Anna")).to_be_visible()
