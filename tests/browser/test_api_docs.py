"""The page of the API's documentation: all its files come from our server, and calls can be tried on it."""

import pytest
from playwright.async_api import expect

from accounts.models import User
from tests.browser.conftest import Enter
from tests.browser.window import Window
from tests.support.server import Server


async def open_call(window: Window, call: str) -> None:
    await window.goto("/api/docs")
    await window.page.get_by_role("button", name=call, exact=True).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_call_is_shown_to_everyone(enter: Enter, server: Server, scheme: str) -> None:
    window = await enter(color_scheme=scheme)
    asked: list[str] = []
    window.page.on("request", lambda request: asked.append(request.url))
    await open_call(window, "get /api/v1/server")
    await expect(window.page.get_by_text("Name, version, time and limits, for everyone.").first).to_be_visible()
    await expect(window.page.locator("html.dark-mode")).to_have_count(int(scheme == "dark"))
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []


async def test_a_signed_in_person_tries_a_call_as_themselves(enter: Enter, alice: User) -> None:
    window = await enter(alice)
    page = window.page
    await open_call(window, "patch /api/v1/users/me")
    await page.get_by_role("button", name="Try it out").click()
    await page.locator("textarea").fill('{"about": "Tried it out"}')
    await page.get_by_role("button", name="Execute").click()
    await expect(page.locator(".live-responses-table").get_by_text("Tried it out")).to_be_visible()
    await alice.arefresh_from_db()
    assert alice.about == "Tried it out"
