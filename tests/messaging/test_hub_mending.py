"""The hub while it reads what is missing: people come, and none of them goes deaf."""

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.models import Conversation
from messaging.commands import send_message_soon
from tests.messaging.helpers import append_unheard, draft
from tests.messaging.screen import Screen
from tests.support.together import another_connection, until_blocked

pytestmark = pytest.mark.usefixtures("live")


async def test_whoever_comes_while_a_gap_is_mended_hears_what_is_said_then(
    group: Conversation, alice: User, bob: User
) -> None:
    hers = await Screen.of(alice)
    await sync_to_async(append_unheard)(await sync_to_async(draft)(alice, group, "unheard"))
    with another_connection() as holder:
        await send_message_soon(by_id=alice.pk, conversation_id=group.pk, text="heard")
        # The repair has read who listens, and waits for the messages; bob comes just then.
        holder.execute("LOCK TABLE messaging_message IN ACCESS EXCLUSIVE MODE")
        await sync_to_async(until_blocked)()
        his = await Screen.of(bob)
    await hers.hears("unheard", "heard")
    await send_message_soon(by_id=alice.pk, conversation_id=group.pk, text="afterwards")
    for screen in (hers, his):
        await screen.hears_at_last("afterwards", within=8)
