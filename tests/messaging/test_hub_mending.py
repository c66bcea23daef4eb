"""The hub while it reads what is missing: people come, and none of them goes deaf."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.models import Conversation
from messaging.commands import send_message_soon
from tests.messaging.helpers import append_unheard, draft
from tests.messaging.screen import Screen

pytestmark = pytest.mark.usefixtures("live")


async def test_whoever_comes_while_a_gap_is_mended_hears_what_is_said_then(
    group: Conversation, alice: User, bob: User
) -> None:
    hers, screens = await Screen.of(alice), []
    for turn in range(12):
        await sync_to_async(append_unheard)(await sync_to_async(draft)(alice, group, f"unheard {turn}"))
        await send_message_soon(by_id=alice.pk, conversation_id=group.pk, text=f"heard {turn}")
        # The gap is held for 30 ms and then read: the newcomer meets that at another moment each time.
        await asyncio.sleep(0.024 + turn * 0.002)
        screens.append(await Screen.of(bob))
    await send_message_soon(by_id=alice.pk, conversation_id=group.pk, text="the last")
    for screen in (hers, *screens):
        await screen.hears_at_last("the last", within=3)
