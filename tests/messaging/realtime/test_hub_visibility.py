"""What the hub loads again of a conversation: nothing that its reader may not see, and every version all the same."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.models import User
from accounts.staff.audit_log import Staff
from conversations.models import Conversation, Participant
from messaging.messages import edit, send
from messaging.messages.json import MessageJSON
from messaging.models import Message
from messaging.moderation import commands
from tests.messaging.helpers import change_place
from tests.messaging.network import Wire
from tests.messaging.screen import Screen

pytestmark = pytest.mark.usefixtures("live")


def say(by: User, conversation: Conversation, text: str) -> MessageJSON:
    return send.send_message(by=by, conversation_id=conversation.pk, text=text).message


def expire(conversation: Conversation, through: int) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(min_position=through)


def grow_old(conversation: Conversation, through: int) -> None:
    old = Message.objects.filter(conversation=conversation, position__lte=through)
    old.update(created_at=timezone.now() - timedelta(days=91))


@pytest.mark.parametrize("hide", [expire, grow_old])
async def test_what_has_expired_is_not_delivered_again(
    hide: Callable[[Conversation, int], None],
    wire: Wire,
    conversation: Conversation,
    alice: User,
    bob: User,
) -> None:
    screen = await Screen.of(bob)
    wire.cut()

    def live() -> None:
        say(alice, conversation, "expired")
        edited = say(alice, conversation, "expired, too")
        say(alice, conversation, "there")
        edit.edit_message(by=alice, message_id=edited["id"], text="expired anew")
        hide(conversation, 2)

    await sync_to_async(live)()
    wire.mend()
    for _ in range(2):
        await screen.hears_of_a_change()
    await screen.hears("there")
    await screen.hears_of_a_change()
    await screen.hears_nothing()


async def test_who_reads_only_what_is_addressed_to_them_is_delivered_nothing_else_again(
    wire: Wire, group: Conversation, alice: User, bob: User, carol: User
) -> None:
    await sync_to_async(change_place)(bob, group, reads="addressed")
    bot, reader = await Screen.of(bob), await Screen.of(carol)
    wire.cut()

    def live() -> None:
        say(alice, group, "to nobody")
        meant, others = say(alice, group, "to bob"), say(alice, group, "to carol")
        Message.objects.filter(pk=meant["id"]).update(addressed=[bob.pk])
        Message.objects.filter(pk=others["id"]).update(addressed=[carol.pk])
        say(bob, group, "mine")
        edit.edit_message(by=alice, message_id=others["id"], text="to carol alone")

    await sync_to_async(live)()
    wire.mend()
    await bot.hears_of_a_change()
    await bot.hears("to bob")
    await bot.hears_of_a_change()
    await bot.hears("mine")
    await bot.hears_of_a_change()
    await reader.hears("to nobody", "to bob", "to carol alone", "mine")


async def test_a_direct_conversation_is_introduced_without_what_is_not_addressed_to_them(
    wire: Wire, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)
    wire.cut()

    def live() -> None:
        send.send_direct(by=alice, to=bob, text="to nobody")
        send.send_direct(by=alice, to=bob, text="to bob")
        Message.objects.filter(position=2).update(addressed=[bob.pk])
        Participant.objects.filter(user=bob).update(reads="addressed")

    await sync_to_async(live)()
    wire.mend()
    assert (await screen.next())["type"] == "conversation.created"
    await screen.hears_of_a_change()
    await screen.hears("to bob")


@pytest.mark.parametrize("hide", [expire, grow_old])
async def test_what_the_staff_deletes_after_it_expired_is_not_published(
    hide: Callable[[Conversation, int], None], conversation: Conversation, alice: User, bob: User, staff: User
) -> None:
    def prepare() -> Any:
        said = say(alice, conversation, "expired")
        hide(conversation, 1)
        return said["id"]

    id = await sync_to_async(prepare)()
    screen = await Screen.of(bob)
    by = Staff(staff)
    await sync_to_async(commands.delete_message)(by=by, message_id=id, reason="Spam")
    await screen.hears_of_a_change()


async def test_what_is_delivered_again_goes_by_what_someone_may_read_now(
    wire: Wire, group: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)
    await sync_to_async(change_place)(bob, group, reads="addressed")
    wire.cut()
    await sync_to_async(say)(alice, group, "to nobody")
    wire.mend()
    await screen.hears_of_a_change()
