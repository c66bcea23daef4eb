"""The settings in a browser: they fit any window, work without scripts, and manage passkeys."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Page, expect

from accounts.models import Session, User
from conversations.contacts.blocks import block
from conversations.contacts.invitations import invite
from tests.browser.conftest import Enter
from tests.browser.layout import LONG, fits
from tests.browser.window import STILL_ASKING, Troubles, Window
from tests.support.browser import PASSWORD
from tests.support.server import Server

SECTIONS = ["", *(f"/{name}" for name in ("profile", "privacy", "sessions", "security", "blocked", "close"))]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


@pytest.fixture
def erin(person) -> User:
    """A person with a password and a name that breaks layouts."""
    return person("erin", PASSWORD, display_name=LONG[:80], about=LONG, email=f"{'erin' * 12}@example.org")


@pytest.fixture
def acquainted(alice: User, erin: User, mallory: User) -> None:
    """Alice has blocked Mallory, and Erin has asked to be Alice's contact."""
    block(by=alice, other=mallory)
    invite(by=erin, to=alice)


@pytest.mark.long
async def test_no_settings_page_is_wider_than_the_window(
    enter: Enter, alice: User, erin: User, acquainted: None
) -> None:
    async def look(window: Window) -> None:
        for path in [f"/settings{section}" for section in SECTIONS] + ["/contacts", f"/people/{erin.pk}"]:
            await window.goto(path)
            await expect(window.page.get_by_role("main")).to_be_attached()
            await fits(window)

    await asyncio.gather(look(await enter(alice)), look(await enter(erin)))


async def test_a_profile_is_changed_without_scripts(enter: Enter, alice: User) -> None:
    window = await enter(alice, java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = window.page
    await window.goto("/")
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_role("link", name="Profile").click()
    await page.get_by_label("Name").fill("Alice M.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Your profile is saved.")).to_be_visible()
    await page.get_by_role("link", name="Back").filter(visible=True).click()
    await expect(page).to_have_url("/settings")


async def add_passkey(page: Page) -> None:
    """Create a passkey in the settings that signs in without a password."""
    await page.goto("/settings/security")
    await page.get_by_role("link", name="Add a passkey").click()
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_label("Let me sign in with it alone").check()
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_text("Your passkey is added.")).to_be_visible()


async def plug_in(window: Window) -> None:
    """Give the browser a virtual authenticator that accepts everything."""
    session = await window.page.context.new_cdp_session(window.page)
    await session.send("WebAuthn.enable")
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


async def test_a_passkey_is_created_and_signs_in(enter: Enter, erin: User, server: Server, troubles: Troubles) -> None:
    troubles.expect(*STILL_ASKING)
    # Browsers allow passkeys on this name without a certificate, and on no number.
    window = await enter(erin, at=server.url.replace("127.0.0.1", "localhost"))
    page = window.page
    await plug_in(window)
    await add_passkey(page)

    await window.goto("/")
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(window.inbox).to_contain_text("It is quiet here")


async def test_a_passkey_confirms_the_persons_identity(
    enter: Enter, erin: User, server: Server, troubles: Troubles
) -> None:
    troubles.expect(*STILL_ASKING)
    window = await enter(erin, at=server.url.replace("127.0.0.1", "localhost"))
    page = window.page
    await plug_in(window)
    await add_passkey(page)
    await sync_to_async(Session.objects.update)(confirmed_at=None)

    await page.goto("/settings/security")
    await page.get_by_role("link", name="Link a wallet").click()
    await page.get_by_role("link", name="Use your passkey").click()
    await page.get_by_role("button", name="Use your passkey").click()
    await expect(page.get_by_text("This browser has no wallet")).to_be_visible()


async def test_a_passkey_that_cannot_work_is_explained(enter: Enter) -> None:
    window = await enter()
    await window.goto("/accounts/login/")
    await window.page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(window.page.get_by_role("alert")).to_contain_text("this site's proper address only")
