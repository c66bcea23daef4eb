"""Unread messages and mentions: whatever happens, the counts equal a plain recount."""

import random
from uuid import UUID

import pytest

from accounts.models import User
from conversations.models import Conversation
from messaging.messages.edit import delete_message, edit_message
from messaging.models import Message
from messaging.receipts.commands import mark_delivered, mark_read
from messaging.sync.changes import changes, sync
from messaging.sync.inbox import list_conversations, show_conversation
from tests.messaging.helpers import place, say

Counts = tuple[int, int]


def counted(by: User, conversation: Conversation) -> set[Counts]:
    """The counts, everywhere they are shown."""
    shown = [
        show_conversation(by=by, conversation_id=conversation.pk),
        changes(by=by, conversation_id=conversation.pk, after=10**6).items["conversation"],
        *(each for each in list_conversations(by=by).items if each["id"] == str(conversation.pk)),
        *(each for each in sync(by=by).items["conversations"] if each["id"] == str(conversation.pk)),
    ]
    assert len(shown) == 4
    return {(each["me"]["unread_count"], each["me"]["mention_count"]) for each in shown}


def recounted(by: User, conversation: Conversation) -> Counts:
    """Go through all messages by hand."""
    mine = place(by, conversation)
    unread = [
        each
        for each in Message.objects.filter(conversation=conversation)
        if each.position > max(mine.read_through, mine.visible_from)
        and each.sender_id != by.pk
        and each.kind != "notice"
        and each.deleted_at is None
    ]
    return len(unread), sum(by.pk in (each.mentions or ()) for each in unread)


@pytest.mark.parametrize("seed", range(4))
def test_unread_counts_equal_a_recount_after_any_changes(
    seed: int, group: Conversation, alice: User, bob: User, carol: User
) -> None:
    chance = random.Random(seed)
    everyone = (alice, bob, carol)
    said: list[tuple[User, UUID]] = []
    texts = ("Hi", "Hi @bob", "Hi @all", "Hi @carol and @bob", "@alice")
    for turn in range(1, 41):
        by, text = chance.choice(everyone), chance.choice(texts)
        match chance.choice(["say", "say", "edit", "delete", "read", "delivered"]):
            case "say":
                said.append((by, UUID(say(by, group, text)["id"])))
            case "edit" if said:
                sender, id = chance.choice(said)
                edit_message(by=sender, message_id=id, text=text)
            case "delete" if len(said) > 3:
                sender, id = said.pop(chance.randrange(len(said)))
                delete_message(by=sender, message_id=id)
            case "read":
                mark_read(by=by, conversation_id=group.pk, through=chance.randrange(1, 60))
            case "delivered":
                mark_delivered(by=by, conversation_id=group.pk, through=chance.randrange(1, 60))
        if not turn % 8:
            for user in everyone:
                assert counted(user, group) == {recounted(user, group)}
