"""Notices: messages of kind `notice` that record what happened to a conversation, such as a new member.

They store the event, not a sentence: every page writes it in the language of its reader.
"""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

import orjson
from django.db import models, transaction
from django.db.models import BigIntegerField, Case, F, When

from accounts.models import User
from chatproject.core.encryption.sealing import seal
from chatproject.core.ids import uuid7
from chatproject.core.realtime import publish
from conversations.models import Conversation, Participant
from conversations.versions import bump_version
from messaging.messages.events import message_created
from messaging.messages.json import NoticeJSON, message_json
from messaging.models import Message


class Notice(models.TextChoices):
    """What can happen; the person who did it is the message's sender."""

    CREATED = "created"
    JOINED = "joined"
    LEFT = "left"
    REMOVED = "removed"
    RENAMED = "renamed"
    TRANSFERRED = "transferred"


def append_notice(
    conversation: Conversation, what: Notice, *, by: User, users: Iterable[UUID] = (), name: str | None = None
) -> None:
    """Append a notice, at a version of its own, to a conversation that the caller has locked."""
    id, before, at = uuid7(), conversation.last_position, bump_version(conversation)
    notice: NoticeJSON = {"event": what.value, "user_ids": [str(user) for user in users], "name": name}
    conversation.last_position = at
    conversation.save()
    message = Message.objects.create(
        id=id,
        conversation=conversation,
        position=at,
        version=at,
        sender=by,
        kind=Message.Kind.NOTICE,
        body=seal(orjson.dumps(notice).decode(), field="notice", row=id, conversation=conversation.pk),
        created_at=conversation.changed_at,
    )
    _move_watermarks(conversation, by, before)
    transaction.on_commit(
        partial(publish, [message_created(conversation.pk, conversation.epoch, message_json(message))])
    )


def _move_watermarks(conversation: Conversation, by: User, before: int) -> None:
    """Count the notice as read by the person who did it, as a message is by its sender, if everything before it was."""
    at = conversation.last_position
    mine = Participant.objects.filter(conversation=conversation, user=by, delivered_through__gte=before)
    read = Case(When(read_through__gte=before, then=at), default=F("read_through"), output_field=BigIntegerField())
    mine.update(read_through=read, delivered_through=at)
