"""The hub while it reads what is missing: people come, and none of them goes deaf."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from accounts.auth.sessions import start_session
from accounts.models import User
from conversations.models import Conversation
from tests.messaging.helpers import append_unheard, draft, remove, send_by_socket
from tests.messaging.screen import Screen
from tests.support.together import another_connection, until_blocked

pytestmark = pytest.mark.usefixtures("live")


async def test_a_device_that_connects_during_gap_repair_receives_later_messages(
    group: Conversation, alice: User, bob: User
) -> None:
    hers = await Screen.of(alice)
    await sync_to_async(append_unheard)(await sync_to_async(draft)(alice, group, "unheard"))
    with another_connection() as holder:
        await send_by_socket(by_id=alice.pk, conversation_id=group.pk, text="heard")
        # The repair has read who listens, and waits for the messages; bob comes just then.
        holder.execute("LOCK TABLE messaging_message IN ACCESS EXCLUSIVE MODE")
        await sync_to_async(until_blocked)()
        his = await Screen.of(bob)
    await hers.hears("unheard", "heard")
    await send_by_socket(by_id=alice.pk, conversation_id=group.pk, text="afterwards")
    for screen in (hers, his):
        await screen.hears_at_last("afterwards", within=8)


async def test_a_member_who_is_removed_while_connecting_receives_nothing_more(
    group: Conversation, alice: User, bob: User
) -> None:
    hers = await Screen.of(alice)
    with another_connection() as holder:
        # The hub has read that bob is in, and waits for his sessions; just then he is put out, and nobody is told.
        session = await sync_to_async(start_session)(user=bob)
        holder.execute("LOCK TABLE accounts_session IN ACCESS EXCLUSIVE MODE")
        coming = asyncio.ensure_future(Screen.of(bob, session=session))
        await sync_to_async(until_blocked)()
        await sync_to_async(remove)(bob, group)
        await send_by_socket(by_id=alice.pk, conversation_id=group.pk, text="without you")
        await hers.hears_at_last("without you")
    await (his := await coming).hears_nothing()
    await send_by_socket(by_id=alice.pk, conversation_id=group.pk, text="nor this")
    await hers.hears_at_last("nor this")
    await his.hears_nothing()


async def test_a_member_who_is_removed_while_connecting_during_gap_repair_receives_nothing_more(
    group: Conversation, alice: User, bob: User
) -> None:
    hers = await Screen.of(alice)
    session = await sync_to_async(start_session)(user=bob)
    with another_connection() as messages:
        with another_connection() as sessions:
            sessions.execute("LOCK TABLE accounts_session IN ACCESS EXCLUSIVE MODE")
            coming = asyncio.ensure_future(Screen.of(bob, session=session))
            await sync_to_async(until_blocked)()
            await sync_to_async(remove)(bob, group)
            await send_by_socket(by_id=alice.pk, conversation_id=group.pk, text="without you")
            # The repair sees that bob is out, but does not know yet of his device, which came by the older look.
            messages.execute("LOCK TABLE messaging_message IN ACCESS EXCLUSIVE MODE")
            await sync_to_async(until_blocked)(2)
        his = await coming
    await hers.hears_at_last("without you", within=8)
    await send_by_socket(by_id=alice.pk, conversation_id=group.pk, text="nor this")
    await hers.hears_at_last("nor this", within=8)
    assert [frame["type"] for frame in his.heard()] in ([], ["conversation.removed"])
