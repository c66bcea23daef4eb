"""Signing out removes everything from the browser, whatever the person was doing: the next person sees none of it."""

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Route, expect

from accounts.auth.sessions import end_all_sessions
from accounts.models import User
from conversations.models import Conversation, Participant
from messaging.models import Message
from tests.browser.conftest import Enter, cookie
from tests.browser.window import STILL_ASKING, Troubles, Window
from tests.messaging.helpers import place, say
from tests.support.browser import PASSWORD
from tests.support.server import Server

WORDS = "Words that are nobody else's business"
OFFLINE = ("net::ERR_", "WebSocket connection to")
KEPT = """
async () => {
  const names = [...Object.keys(sessionStorage), ...Object.keys(localStorage)];
  const databases = (await indexedDB.databases()).map(({ name }) => name);
  return [...names, ...databases, ...(await caches.keys())];
}
"""


@pytest.fixture
def alice(person: Callable[..., User]) -> User:
    return person("alice", PASSWORD, display_name="Alice")


@pytest.fixture
def bob(person: Callable[..., User]) -> User:
    return person("bob", PASSWORD, display_name="Bob")


@pytest.fixture(autouse=True)
def _a_page_that_leaves_asks_a_last_time(troubles: Troubles) -> None:
    troubles.expect(*STILL_ASKING)


async def kept(window: Window, user: User) -> list[str]:
    """The keys of what the browser stores for a person."""
    return [name for name in await window.page.evaluate(KEPT) if str(user.pk) in name]


async def sign_out(window: Window) -> None:
    """Press the button and wait for the sign-in page."""
    await window.page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(window.page).to_have_url("/accounts/login/")


async def draft(user: User, conversation: Conversation) -> str:
    return (await sync_to_async(place)(user, conversation)).draft or ""


async def test_a_draft_is_not_shown_to_the_next_person(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    window = await enter(alice)
    await window.open(conversation)
    await window.field.fill(WORDS)
    await sign_out(window)
    assert not await kept(window, alice)

    await window.sign_in("bob")
    await expect(window.row("Alice")).to_be_visible()
    await window.open(conversation)
    await expect(window.field).to_have_value("")
    await window.field.press("End")
    await window.goto("/")
    await expect(window.row("Alice")).not_to_contain_text("Words")

    await sign_out(window)
    await window.sign_in("alice")
    await expect(window.row("Bob")).to_contain_text(WORDS)


@pytest.mark.long
async def test_a_draft_saved_at_sign_out_belongs_to_its_author(
    enter: Enter, alice: User, bob: User, conversation: Conversation, server: Server
) -> None:
    window = await enter(alice)
    await window.open(conversation)
    await window.page.route("**/me", lambda route: route.abort())
    await window.page.get_by_role("textbox", name="Message", exact=True).fill(WORDS)
    await window.page.context.clear_cookies()
    await window.page.context.add_cookies([{**await sync_to_async(cookie)(bob), "url": server.url}])
    await window.page.unroute_all()
    await window.open(conversation)
    await expect(window.field).to_have_value("")
    await expect(window.row("Alice")).to_be_visible()
    assert not await kept(window, alice)


async def test_sign_out_asks_about_unsent_messages_and_removes_them(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect(*OFFLINE)
    window = await enter(alice)
    await window.page.route_web_socket("**/ws/chat", lambda line: line.close(code=1012))
    await window.open(conversation)
    await window.say(WORDS)
    button = window.page.get_by_role("button", name="Sign out", exact=True)
    await button.click()
    dialog = window.page.get_by_role("dialog", name="Some messages are not sent yet")
    await dialog.get_by_role("button", name="Stay").click()
    await expect(window.line(WORDS)).to_be_visible()
    assert await kept(window, alice)

    await button.click()
    await dialog.get_by_role("button", name="Sign out anyway").click()
    await expect(window.page).to_have_url("/accounts/login/")
    assert not await kept(window, alice)
    assert not await Message.objects.aexists()


@pytest.mark.long
async def test_the_sign_out_page_removes_stored_data_too(enter: Enter, alice: User, conversation: Conversation) -> None:
    window = await enter(alice)
    await window.open(conversation)
    await expect(window.field).to_be_focused()
    await window.goto("/accounts/logout/")
    assert await kept(window, alice)
    await sign_out(window)
    assert not await kept(window, alice)


@pytest.mark.long
async def test_without_tls_the_script_removes_stored_data(
    enter: Enter, alice: User, conversation: Conversation, server: Server
) -> None:
    """Browsers obey `Clear-Site-Data` only with TLS and on localhost."""
    window = await enter(alice)

    async def unheeded(route: Route) -> None:
        answer = await route.fetch(max_redirects=0)
        headers = {name: value for name, value in answer.headers.items() if name != "clear-site-data"}
        await route.fulfill(response=answer, headers=headers)

    await window.page.route("**/accounts/logout/", unheeded)
    await window.open(conversation)
    await window.field.fill(WORDS)
    await sign_out(window)
    assert not await kept(window, alice)


async def test_other_tabs_are_cleared(enter: Enter, alice: User, bob: User, conversation: Conversation) -> None:
    await sync_to_async(say)(bob, conversation, "A secret")
    window = await enter(alice)
    other = Window(await window.page.context.new_page())
    await window.open(conversation)
    await other.open(conversation)
    await other.field.fill(WORDS)
    await sign_out(window)
    await expect(other.page.get_by_role("link", name="Sign in again")).to_be_visible()
    await expect(other.page.get_by_text("A secret")).to_have_count(0)
    assert WORDS not in await other.page.content()
    assert not await kept(other, alice)


async def test_other_tabs_with_settings_are_cleared_too(enter: Enter, alice: User) -> None:
    window = await enter(alice)
    await window.goto("/")
    other = await window.page.context.new_page()
    await other.goto("/settings/profile")
    await expect(other.get_by_text("Alice").first).to_be_visible()
    await sign_out(window)
    await expect(other.locator("body")).to_be_hidden()
    await other.evaluate("dispatchEvent(new Event('focus'))")
    await expect(other).to_have_url("/accounts/login/?next=/settings/profile")


@pytest.mark.long
async def test_a_session_ended_on_another_device_leaves_nothing(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(say)(bob, conversation, "A secret")
    window = await enter(alice)
    await window.open(conversation)
    await window.field.fill(WORDS)
    await expect(window.row("Bob").get_by_text("unread")).to_be_hidden()
    await sync_to_async(end_all_sessions)(user=alice)
    await expect(window.page.get_by_role("link", name="Sign in again")).to_be_visible()
    await expect(window.page.get_by_text("A secret")).to_have_count(0)
    assert not await kept(window, alice)


@pytest.mark.long
async def test_unsent_messages_survive_an_expired_session(
    enter: Enter, alice: User, conversation: Conversation, troubles: Troubles
) -> None:
    troubles.expect(*OFFLINE)
    window = await enter(alice)
    await window.page.route_web_socket("**/ws/chat", lambda line: line.close(code=1012))
    await window.open(conversation)
    await window.say(WORDS)
    await expect(window.line(WORDS)).to_be_visible()
    await window.page.context.clear_cookies()
    await window.page.unroute_all()
    await window.open(conversation)
    await window.page.route_web_socket("**/ws/chat", lambda line: line.connect_to_server() and None)
    await window.sign_in("alice")
    await window.shows(WORDS)


@pytest.mark.long
async def test_a_page_of_another_person_reloads(
    enter: Enter, alice: User, bob: User, conversation: Conversation, server: Server
) -> None:
    """Bob signs in in one tab while Alice's conversation is still open in another."""
    window = await enter(alice)
    await window.open(conversation)
    await window.field.fill(WORDS)
    await window.page.context.clear_cookies()
    await window.page.context.add_cookies([{**await sync_to_async(cookie)(bob), "url": server.url}])
    other = Window(await window.page.context.new_page())
    await other.goto("/")
    await expect(window.row("Alice")).to_be_visible()
    await expect(window.field).to_have_value("")
    assert await draft(bob, conversation) == ""


@pytest.mark.long
async def test_going_back_after_signing_out_shows_nothing(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(say)(bob, conversation, "A secret")
    window = await enter(alice)
    await window.open(conversation)
    await expect(window.page.get_by_text("A secret").first).to_be_visible()
    await sign_out(window)
    await window.page.go_back()
    await expect(window.page).to_have_url(f"/accounts/login/?next=/conversations/{conversation.pk}")
    assert "A secret" not in await window.page.content()
    assert await Participant.objects.filter(user=alice).acount() == 1
