"""Signing up, in and out by the pages, and what a stranger sees."""

import pytest
from playwright.async_api import expect

from accounts.models import User
from chatproject.core.ids import uuid7
from conversations.models import Conversation
from tests.browser.conftest import Enter
from tests.browser.window import STILL_ASKING, Troubles, Window
from tests.support.browser import PASSWORD


@pytest.fixture
def alice(person) -> User:
    """A person who signs in by the form."""
    return person("alice", PASSWORD, display_name="Alice")


async def test_a_person_signs_up_signs_out_and_signs_in(enter: Enter, troubles: Troubles) -> None:
    troubles.expect(*STILL_ASKING)
    window = await enter()
    page = window.page
    await window.goto("/")
    await page.get_by_role("link", name="Make an account").click()
    await page.get_by_label("Username").fill("Dora")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password (again)").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await expect(window.inbox).to_contain_text("It is quiet here")

    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_url("/accounts/login/")
    await window.goto("/")
    await expect(page).to_have_url("/accounts/login/?next=/")
    await window.sign_in("dora")
    await expect(window.inbox).to_contain_text("It is quiet here")


async def test_a_wrong_password_is_explained(enter: Enter, alice: User) -> None:
    window = await enter()
    await window.goto("/accounts/login/")
    await window.sign_in("alice", "something else")
    await expect(window.page.get_by_text("do not match")).to_be_visible()
    await expect(window.page.get_by_label("Username")).to_have_value("alice")


async def test_signing_out_in_one_tab_signs_out_the_other(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect(*STILL_ASKING)
    window = await enter(alice)
    other = Window(await window.page.context.new_page())
    await window.open(conversation)
    await other.goto("/")
    await other.page.get_by_role("button", name="Sign out").click()
    await window.page.get_by_role("link", name="Sign in again").click()
    await window.sign_in("alice")
    await expect(window.page).to_have_url(f"/conversations/{conversation.pk}")


async def test_signing_in_never_leads_to_another_site(enter: Enter, alice: User) -> None:
    window = await enter()
    for target in ("https://evil.example/", "//evil.example/", r"/\evil.example", "javascript:alert(1)"):
        await window.goto(f"/accounts/login/?next={target}")
        await window.sign_in("alice")
        await expect(window.page).to_have_url("/")
        await window.goto("about:blank")
        await window.page.context.clear_cookies()


async def test_signing_in_leads_to_the_requested_page(enter: Enter, alice: User, conversation: Conversation) -> None:
    window = await enter()
    await window.open(conversation)
    await window.sign_in("alice")
    await expect(window.page).to_have_url(f"/conversations/{conversation.pk}")
    await expect(window.log).to_be_visible()


async def test_a_stranger_finds_no_conversation(
    enter: Enter, mallory: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect("status of 404")
    window = await enter(mallory)
    seen = []
    for id in (conversation.pk, uuid7()):
        answer = await window.page.goto(f"/conversations/{id}")
        assert answer
        assert answer.status == 404
        seen.append(await answer.text())
    assert seen[0] == seen[1]
    await expect(window.page.get_by_role("link", name="To your conversations")).to_be_visible()
