"""Sending messages: the way in for every door, REST, pages and sockets."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import User
from chatproject.core.database import in_thread
from chatproject.core.errors import Invalid
from conversations.creation import start_direct
from messaging.messages.append import append
from messaging.messages.draft import compose
from messaging.messages.forward import forward_direct, forward_message
from messaging.messages.group_commit import GroupCommit
from messaging.messages.outcome import OnResult, SendResult


def send_message(
    *, by: User, conversation_id: UUID, text: str = "", forward_of_id: UUID | None = None, **fields: Any
) -> SendResult:
    """Send a message to a conversation; sending it again under the same id returns the message that is stored.

    `fields` are those of `compose`; a forward has the content of the forwarded message. Raises
    Conversation.DoesNotExist for a stranger, IdConflict if the id is another message's.
    """
    if forward_of_id is not None:
        id = _only_id(text=text, **fields)
        return forward_message(by=by, conversation_id=conversation_id, forward_of_id=forward_of_id, id=id)
    return append(compose(by.pk, conversation_id, text=text, **fields))


async def submit_message(
    *,
    by_id: UUID,
    conversation_id: UUID,
    text: str,
    group_commit: GroupCommit,
    on_result: OnResult,
    media: Sequence[UUID] = (),
    **fields: Any,
) -> None:
    """Send a message from a socket, as `send_message` does; `on_result` gets what that returns or raises.

    A message without media joins the group commit, and this returns before it is stored: messages that the socket sends
    next share its commit. One with media is appended alone, because its media are attached in the same transaction.
    """
    try:
        if media:
            on_result(await in_thread(_append_with_media)(by_id, conversation_id, text=text, media=media, **fields))
        else:
            group_commit.submit(compose(by_id, conversation_id, text=text, **fields), on_result)
    except Exception as error:
        on_result(error)


def send_direct(*, by: User, to: User, text: str = "", forward_of_id: UUID | None = None, **fields: Any) -> SendResult:
    """Send a message to a person, in the direct conversation, which is started if there is none."""
    if forward_of_id is not None:
        return forward_direct(by=by, to=to, forward_of_id=forward_of_id, id=_only_id(text=text, **fields))
    with transaction.atomic():
        conversation, _ = start_direct(by=by, to=to)
        return send_message(by=by, conversation_id=conversation.pk, text=text, **fields)


def _append_with_media(by_id: UUID, conversation_id: UUID, **fields: Any) -> SendResult:
    return append(compose(by_id, conversation_id, **fields))


def _only_id(*, id: UUID | None = None, **others: Any) -> UUID | None:
    """Return the id of a forward; Invalid if anything else comes with it."""
    if any(others.values()):
        raise Invalid("What is sent on comes alone.", pointer="/forward_of_id")
    return id
