"""Every page is free of what axe finds: WCAG 2.2 AA and best practices, narrow and wide, light and dark."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from accounts.models import User
from conversations.contacts.blocks import block
from conversations.contacts.invitations import invite
from conversations.invite_links import link_json, make_link
from conversations.models import Conversation
from messaging.messages.reactions import add_reaction
from tests.browser.conftest import Enter
from tests.browser.layout import WIDTHS
from tests.browser.window import Troubles, Window
from tests.messaging.helpers import hang, say
from tests.support.browser import PASSWORD

pytestmark = pytest.mark.long

(AXE,) = Path(__file__).parent.glob("axe-core-*.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
async (values) => {
  const { violations } = await axe.run(document, { runOnly: { type: "tag", values } });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, any, all, none }) =>
    `${id}: ${target.join(" ")}: ${[...any, ...all, ...none].map(({ message }) => message).join("; ")}`));
}
"""
STILL = "Promise.all(document.getAnimations().map((each) => each.finished.catch(() => {})))"
OUTSIDE = [
    "accounts/login/",
    "accounts/signup/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "nowhere",
]
SECTIONS = ["profile", "privacy", "appearance", "sessions", "security", "blocked", "reports", "close"]
SETTINGS = ["", *(f"/{name}" for name in SECTIONS)]
INSIDE = [
    "",
    "archived",
    "conversations/new",
    "contacts",
    "accounts/logout/",
    *(f"settings{each}" for each in SETTINGS),
]


async def look(window: Window, path: str) -> None:
    """Run axe on a page in every size and theme."""
    await window.goto(f"/{path}")
    await window.page.wait_for_load_state("networkidle")
    await look_here(window)


async def look_here(window: Window) -> None:
    await window.page.evaluate(AXE.read_text())
    for width in WIDTHS:
        await window.page.set_viewport_size({"width": width, "height": 740})
        for scheme in ("light", "dark"):
            await window.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            await window.page.evaluate(STILL)
            found = await window.page.evaluate(RUN, TAGS)
            assert not found, f"{window.page.url}, {width} pixels, {scheme}: {found}"


@pytest.fixture
def alice(person: Callable[..., User]) -> User:
    return person("alice", PASSWORD, display_name="Alice", email="alice@example.org")


@pytest.fixture
def lively(group: Conversation, alice: User, bob: User, carol: User, mallory: User) -> dict[str, str]:
    """Make a group with every kind of message, and contacts and reports around it. Returns the paths of its pages."""
    said = say(bob, group, "Look at https://example.org, @alice")
    say(alice, group, "Well, well", reply_to_id=UUID(said["id"]))
    hang(bob, group)
    add_reaction(by=alice, message_id=UUID(said["id"]), emoji="👍")
    block(by=alice, other=mallory)
    invite(by=carol, to=alice)
    url = link_json(*make_link(by=alice, conversation_id=group.pk, expires_at=None, max_uses=None))["url"]
    return {
        "conversation": f"conversations/{group.pk}",
        "information": f"conversations/{group.pk}/info",
        "message": f"messages/{said['id']}",
        "report": f"messages/{said['id']}/report",
        "forward": f"messages/{said['id']}/forward",
        "person": f"people/{bob.pk}",
        "report on a person": f"people/{bob.pk}/report",
        "join": str(url).partition("//")[2].partition("/")[2],
        "dead link": "join/nothing",
    }


@pytest.mark.parametrize("path", OUTSIDE)
async def test_a_public_page_is_accessible(enter: Enter, troubles: Troubles, path: str) -> None:
    troubles.expect("status of 404")
    await look(await enter(), path)


@pytest.mark.parametrize("path", INSIDE)
async def test_a_personal_page_is_accessible(enter: Enter, alice: User, lively: dict[str, str], path: str) -> None:
    await look(await enter(alice), path)


ABOUT = [
    "conversation",
    "information",
    "message",
    "report",
    "forward",
    "person",
    "report on a person",
    "join",
    "dead link",
]


@pytest.mark.parametrize("name", ABOUT)
async def test_a_page_about_a_message_or_conversation_is_accessible(
    enter: Enter, alice: User, lively: dict[str, str], troubles: Troubles, name: str
) -> None:
    troubles.expect("status of 410", "status of 404")
    await look(await enter(alice), lively[name])


async def test_menus_and_lists_are_accessible(
    enter: Enter, alice: User, lively: dict[str, str], troubles: Troubles
) -> None:
    """The mention suggestions, the menu of a message, the list of members, and the search for people."""
    troubles.expect("status of 404")
    window = await enter(alice)
    page = window.page
    await window.goto(f"/{lively['conversation']}")
    await window.field.press_sequentially("@b")
    await page.get_by_role("option").first.wait_for()
    await look_here(window)
    await window.field.fill("")
    await window.line("Well, well").get_by_title("More").focus()
    await page.keyboard.press("Enter")
    await look_here(window)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="People").click()
    await look_here(window)
    await window.goto("/conversations/new")
    await page.get_by_role("combobox", name="Name or username").press_sequentially("bo")
    await page.get_by_role("option").first.wait_for()
    await look_here(window)
