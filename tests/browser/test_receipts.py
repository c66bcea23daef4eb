"""Receipts as people see them: the status of their own messages, and unread counts, the same in every window."""

import asyncio
import re

from asgiref.sync import sync_to_async
from playwright.async_api import Locator, WebSocketRoute, expect

from accounts.models import User
from conversations.contacts.profile import update_me
from conversations.models import Conversation
from messaging.receipts.commands import mark_delivered, mark_read
from tests.browser.conftest import Enter
from tests.browser.layout import fits
from tests.browser.window import Window
from tests.messaging.helpers import say


def state(window: Window, text: str, name: str) -> Locator:
    """The status icon of a message."""
    return window.line(text).get_by_role("img", name=name, exact=True)


async def stands_at(window: Window, text: str, name: str) -> None:
    """Wait until a message shows this status and no other."""
    await expect(state(window, text, name)).to_be_visible()
    await expect(window.line(text).locator(".message__state").filter(visible=True)).to_have_count(1)


async def test_a_message_is_sent_then_delivered_then_read(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await hers.open(conversation)
    await hers.say("Are you there?")
    await stands_at(hers, "Are you there?", "Sent")
    await his.goto("/")
    await stands_at(hers, "Are you there?", "Delivered")
    await his.row("Alice").click()
    await stands_at(hers, "Are you there?", "Read")
    await hers.page.reload()
    await stands_at(hers, "Are you there?", "Read")
    await his.say("Yes")
    await hers.shows("Are you there?", "Yes")
    await expect(hers.line("Yes").locator(".message__state").filter(visible=True)).to_have_count(0)


async def test_in_a_group_the_status_is_that_of_the_last_member(
    enter: Enter, alice: User, bob: User, carol: User, group: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(hers.open(group), his.open(group))
    await hers.say("Beans?")
    await his.shows("Beans?")
    await asyncio.sleep(1)
    await stands_at(hers, "Beans?", "Sent")
    last = (await sync_to_async(Conversation.objects.get)(pk=group.pk)).last_position
    await sync_to_async(mark_delivered)(by=carol, conversation_id=group.pk, through=last)
    await stands_at(hers, "Beans?", "Delivered")
    await sync_to_async(mark_read)(by=carol, conversation_id=group.pk, through=last)
    await stands_at(hers, "Beans?", "Read")


async def test_a_message_in_a_background_window_is_delivered_and_not_read(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(hers.open(conversation), his.open(conversation))
    await his.page.evaluate("document.hasFocus = () => false")
    await hers.say("Look!")
    await stands_at(hers, "Look!", "Delivered")
    await asyncio.sleep(1)
    await stands_at(hers, "Look!", "Delivered")
    await his.page.evaluate("delete document.hasFocus; dispatchEvent(new Event('focus'))")
    await stands_at(hers, "Look!", "Read")


async def test_reading_in_one_window_marks_the_other_as_read(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(say)(alice, conversation, "One")
    await sync_to_async(say)(alice, conversation, "Two")
    phone, laptop = await enter(bob), await enter(bob)
    await laptop.goto("/")
    await expect(laptop.row("Alice").get_by_text("2unread")).to_be_visible()
    await expect(laptop.page).to_have_title("(1) Parley")
    await phone.open(conversation)
    await expect(laptop.row("Alice").get_by_text("unread")).to_be_hidden()
    await expect(laptop.page).to_have_title("Parley")


async def test_a_person_who_hides_read_receipts_shows_only_delivery(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(update_me)(by=bob, settings={"read_receipts": False})
    hers, his = await enter(alice), await enter(bob)
    await asyncio.gather(hers.open(conversation), his.open(conversation))
    await hers.say("Secret?")
    await stands_at(hers, "Secret?", "Delivered")
    await his.say("Quite.")
    await hers.shows("Secret?", "Quite.")
    await asyncio.sleep(1)
    await stands_at(hers, "Secret?", "Delivered")
    await stands_at(his, "Quite.", "Delivered")


async def test_receipts_missed_while_offline_are_shown_after_reconnecting(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    lines: list[WebSocketRoute] = []
    away = asyncio.Event()

    async def keep(line: WebSocketRoute) -> None:
        if away.is_set():
            await line.close(code=1012)
        else:
            line.connect_to_server()
            lines.append(line)

    hers = await enter(alice)
    await hers.page.route_web_socket("**/ws/chat", keep)
    await hers.page.clock.install()
    await hers.open(conversation)
    await hers.say("Hello?")
    await stands_at(hers, "Hello?", "Sent")
    away.set()
    await lines[-1].close(code=1012)
    await sync_to_async(mark_read)(by=bob, conversation_id=conversation.pk, through=1)
    await asyncio.sleep(0.5)
    await stands_at(hers, "Hello?", "Sent")
    away.clear()
    await hers.page.clock.fast_forward(31_000)
    await stands_at(hers, "Hello?", "Read")


async def test_a_lost_delivery_ack_is_repeated_after_reconnecting(
    enter: Enter, alice: User, bob: User, conversation: Conversation
) -> None:
    lines: list[WebSocketRoute] = []
    lost = asyncio.Event()

    def swallow_marks(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        is_first = not lines
        lines.append(line)

        def pass_on(frame: str | bytes) -> None:
            if is_first and '"through"' in str(frame):
                lost.set()
            else:
                server.send(frame)

        line.on_message(pass_on)

    hers, his = await enter(alice), await enter(bob)
    await his.page.route_web_socket("**/ws/chat", swallow_marks)
    await his.page.clock.install()
    await asyncio.gather(hers.open(conversation), his.open(conversation))
    await hers.say("Look!")
    await his.shows("Look!")
    await his.page.clock.fast_forward(1000)
    await asyncio.wait_for(lost.wait(), 10)
    await stands_at(hers, "Look!", "Sent")
    await lines[0].close(code=1012)
    await his.page.clock.fast_forward(31_000)
    await stands_at(hers, "Look!", "Read")


async def test_the_page_of_a_message_shows_who_has_read_it_and_when(
    enter: Enter, alice: User, bob: User, carol: User, group: Conversation
) -> None:
    hers = await enter(alice)
    await hers.open(group)
    await hers.say("Beans?")
    await hers.shows("Beans?")
    last = (await sync_to_async(Conversation.objects.get)(pk=group.pk)).last_position
    await sync_to_async(mark_read)(by=bob, conversation_id=group.pk, through=last)
    await hers.menu("Beans?", "Who has read it")
    receipt = hers.page.get_by_role("region", name="Who has it").get_by_role("listitem")
    await expect(receipt.nth(0)).to_contain_text("Bob")
    await expect(receipt.nth(0)).to_contain_text(re.compile(r"Read.*\d\d:\d\d.*Delivered.*\d\d:\d\d", re.DOTALL))
    await expect(receipt.nth(1)).to_contain_text("Carol")
    await expect(receipt.nth(1)).to_contain_text("Sent")
    await fits(hers)
