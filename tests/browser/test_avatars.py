"""Avatars of people and groups: chosen, shown everywhere, and removed."""

from pathlib import Path

from playwright.async_api import expect

from accounts.models import User
from conversations.models import Conversation
from tests.browser.conftest import Enter
from tests.browser.window import Window, until_loaded
from tests.support import samples


async def choose_avatar(window: Window, picture: Path) -> None:
    """Choose an avatar for oneself or a group, and wait until it is shown."""
    async with window.page.expect_file_chooser() as chooser:
        await window.page.get_by_role("button", name="Choose a picture").click()
    await (await chooser.value).set_files(picture)
    await until_loaded(window.page.get_by_role("main").locator(".who img"))


async def test_people_and_groups_have_avatars(
    enter: Enter, alice: User, bob: User, conversation: Conversation, group: Conversation, tmp_path: Path
) -> None:
    (tmp_path / "me.jpg").write_bytes(samples.picture())
    mine, theirs = await enter(alice), await enter(bob)
    await theirs.open(group)
    await mine.goto("/settings/profile")
    await choose_avatar(mine, tmp_path / "me.jpg")
    await mine.goto(f"/conversations/{group.pk}/info")
    await choose_avatar(mine, tmp_path / "me.jpg")
    await until_loaded(theirs.page.locator("[data-head-avatar] img"))
    await until_loaded(theirs.row("Garden").locator("img"))
    await theirs.open(group)
    await until_loaded(theirs.row("Alice").locator("img"))
    await mine.open(group)
    await mine.say("Here I am")
    await until_loaded(theirs.line("Here I am").locator("[data-avatar] img"))
    await mine.goto("/settings/profile")
    await mine.page.get_by_role("button", name="Remove picture").click()
    await expect(mine.page.locator(".who img")).to_have_count(0)
