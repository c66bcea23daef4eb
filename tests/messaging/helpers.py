"""Helpers of the tests of messaging; some change rows by SQL, so that nothing is published."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from chatproject.core.ids import first_id_at, uuid7
from conversations.models import Conversation, Participant
from messaging.media.attachments import seal_filename
from messaging.messages.append_sql import parameters, statement
from messaging.messages.draft import Draft, make_draft
from messaging.messages.group_commit import GroupCommit, group_commit
from messaging.messages.json import MessageJSON
from messaging.messages.outcome import AppendOutcome, SendResult
from messaging.messages.send import send_message, submit_message
from messaging.models import Attachment, Blob


def say(by: User, conversation: Conversation, text: str = "Hi", **fields: Any) -> MessageJSON:
    """Say something and give the message."""
    return send_message(by=by, conversation_id=conversation.pk, text=text, **fields).message


async def send_by_socket(*, by_id: UUID, conversation_id: UUID, text: str, **fields: Any) -> SendResult:
    """Send a message as a socket does, and wait for its result."""
    result = _Result()
    to = {"by_id": by_id, "conversation_id": conversation_id, "group_commit": group_commit()}
    await submit_message(**to, text=text, on_result=result.set, **fields)
    return await result.future


async def commit(draft: Draft, on: GroupCommit) -> SendResult:
    """Submit a draft to a group commit, and wait for its result."""
    result = _Result()
    on.submit(draft, result.set)
    return await result.future


class _Result:
    """The result of a send, for a test that waits for it."""

    def __init__(self) -> None:
        self.future: asyncio.Future[SendResult] = asyncio.get_running_loop().create_future()

    def set(self, result: SendResult | Exception) -> None:
        if self.future.cancelled():
            return
        if isinstance(result, Exception):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


def uploaded(by: User) -> Attachment:
    """A picture that someone has uploaded, but for its bytes."""
    about: dict[str, Any] = {"content_type": "image/png", "size": 9}
    blob = Blob.objects.create(key=f"media/{uuid7().hex}", kind="image", has_thumbnail=True, **about)
    id = uuid7()
    name = seal_filename(id, "a.png")
    return Attachment.objects.create(id=id, owner=by, state="ready", filename=name, blob=blob, **about)


def hang(by: User, conversation: Conversation) -> Attachment:
    """Send such a picture."""
    picture = uploaded(by)
    say(by, conversation, "", media=[picture.pk])
    return picture


def draft(by: User, conversation: Conversation, text: str = "Hi", **fields: Any) -> Draft:
    """Make a message ready for the append."""
    return make_draft(sender_id=by.pk, conversation_id=conversation.pk, text=text, **fields)


def append_unheard(*drafts: Draft) -> list[AppendOutcome]:
    """Append in one batch and tell nobody, like a server that dies behind its commit."""
    with connection.cursor() as cursor:
        cursor.execute(statement(drafts), parameters(drafts, retention_days=settings.RETENTION_DAYS))
        return [AppendOutcome(*row) for row in cursor.fetchall()]


def fill(conversation: Conversation, by: User, count: int) -> None:
    """Have someone say a number of things at once: 1, 2, 3 …"""
    append_unheard(*(draft(by, conversation, str(n + 1)) for n in range(count)))


def place(user: User, conversation: Conversation) -> Participant:
    return Participant.objects.get(conversation=conversation, user=user)


def change_place(user: User, conversation: Conversation, **fields: Any) -> None:
    """Change a person's place and nothing else."""
    Participant.objects.filter(conversation=conversation, user=user).update(**fields)


REMOVE = """
WITH c AS (
    UPDATE conversations_conversation SET version = version + 1, epoch = epoch + 1 WHERE id = %s RETURNING id, version
)
UPDATE conversations_participant p SET left_at = now(), left_version = c.version
FROM c WHERE p.conversation_id = c.id AND p.user_id = %s
"""
SEAT = """
WITH c AS (
    UPDATE conversations_conversation SET version = version + 1, epoch = epoch + 1 WHERE id = %s RETURNING id, version
)
INSERT INTO conversations_participant (conversation_id, user_id, role, joined_at, visible_from, delivered_through,
    read_through, barred, notify, pinned, archived)
SELECT c.id, %s, 'member', now(), c.version, c.version, c.version, false, 'all', false, false FROM c
"""


def remove(user: User, conversation: Conversation, *, on: Any = None) -> None:
    """Take someone out, on Django's connection or another; tell nobody."""
    _change_membership(REMOVE, conversation.pk, user.pk, on)


def seat(user: User, conversation: Conversation, *, on: Any = None) -> None:
    """Let someone in who sees nothing from before; tell nobody."""
    _change_membership(SEAT, conversation.pk, user.pk, on)


def _change_membership(sql: str, conversation_id: UUID, user_id: UUID, on: Any) -> None:
    with (on or connection).cursor() as cursor:
        cursor.execute(sql, [conversation_id, user_id])


def hold(conversation: Conversation, on: Any) -> None:
    """Hold a conversation's row, as a long change of it would."""
    on.execute("SELECT 1 FROM conversations_conversation WHERE id = %s FOR UPDATE", [conversation.pk])


def id_at(age: timedelta) -> UUID:
    """Mint an id of an earlier or later moment."""
    return UUID(int=first_id_at(timezone.now() - age).int | uuid7().int & (1 << 80) - 1)


def positions(messages: Sequence[MessageJSON]) -> list[int]:
    return [message["position"] for message in messages]


def texts(messages: Sequence[MessageJSON]) -> list[str]:
    return [message["text"] for message in messages]
