"""The group commit while another transaction has locked rows: every send is answered, in order, and only those that
need the rows wait.
"""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.models import Conversation
from messaging.messages.group_commit import group_commit
from tests.messaging.helpers import commit, draft, hold, send_by_socket
from tests.support.together import another_connection, until_blocked

pytestmark = pytest.mark.usefixtures("live")

blocked = sync_to_async(until_blocked)
PAST_THE_LOCK_TIMEOUT = 0.5
PATIENCE = 20.0


def say(by: User, conversation: Conversation, text: str) -> asyncio.Task:
    return asyncio.ensure_future(send_by_socket(by_id=by.pk, conversation_id=conversation.pk, text=text))


async def positions(said: list[asyncio.Future]) -> list[int]:
    return [(await asyncio.wait_for(each, PATIENCE)).message["position"] for each in said]


async def test_sends_to_a_locked_conversation_are_answered_in_order(group, alice) -> None:
    with another_connection() as holder:
        hold(group, holder)
        said = [say(alice, group, "one")]
        await blocked()
        said.append(say(alice, group, "two"))
        await asyncio.sleep(0.35)
        said.append(say(alice, group, "three"))
        await asyncio.sleep(0.6)
    assert await positions(said) == [2, 3, 4]


@pytest.mark.parametrize("wait", [0, PAST_THE_LOCK_TIMEOUT])
async def test_a_change_of_membership_meanwhile_keeps_the_order(group, alice, wait) -> None:
    drafts = [await sync_to_async(draft)(alice, group, str(n)) for n in range(5)]
    with another_connection() as holder:
        holder.execute("UPDATE conversations_conversation SET epoch = epoch + 1 WHERE id = %s", [group.pk])
        said = [asyncio.ensure_future(commit(each, group_commit())) for each in drafts]
        await blocked()
        await asyncio.sleep(wait)
        holder.commit()
    assert await positions(said) == [2, 3, 4, 5, 6]


async def test_a_locked_participant_delays_only_its_own_conversation(group, conversation, alice, bob) -> None:
    with another_connection() as holder:
        holder.execute(
            "SELECT 1 FROM conversations_participant WHERE conversation_id = %s AND user_id = %s FOR UPDATE",
            [group.pk, alice.pk],
        )
        hers = say(alice, group, "held")
        await blocked()
        assert (await asyncio.wait_for(say(bob, conversation, "free"), PATIENCE)).message["position"] == 1
        assert not hers.done()
    assert await positions([hers]) == [2]


async def test_a_repeat_is_answered_while_a_conversation_is_locked(group, conversation, alice, bob) -> None:
    again = await sync_to_async(draft)(bob, conversation, "said before")
    first = await commit(again, group_commit())
    with another_connection() as holder:
        hold(group, holder)
        hers = say(alice, group, "held")
        await asyncio.sleep(PAST_THE_LOCK_TIMEOUT)
        assert (await asyncio.wait_for(commit(again, group_commit()), PATIENCE)).message == first.message
    await positions([hers])
