"""Changes of a stored message: under a lock of its conversation, with a new version, published on commit."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import User
from chatproject.core.errors import Blocked, Unprocessable
from chatproject.core.realtime import publish
from conversations.access import memberships_of
from conversations.events import conversation_updated
from conversations.models import Conversation, Participant
from conversations.versions import bump_version
from messaging.access import conversation_of, has_expired, readable
from messaging.messages.events import message_updated
from messaging.messages.json import MessageJSON, messages_json
from messaging.models import Message


@dataclass(frozen=True, slots=True)
class LockedMessage:
    """A message whose conversation is locked, and the membership of the person who wants to change it."""

    message: Message
    participant: Participant
    now: datetime
    """The database's time."""

    @property
    def conversation(self) -> Conversation:
        return self.participant.conversation

    def require_open(self) -> None:
        """Refuse changes of notices and deleted messages, and any where the other has stopped the conversation."""
        if self.message.kind == Message.Kind.NOTICE:
            raise Unprocessable("A notice can't be changed.")
        if self.message.deleted_at is not None:
            raise Unprocessable("This message was deleted.")
        if self.participant.barred:
            raise Blocked("This person has stopped the conversation.")


def lock_message(*, by: User, message_id: UUID) -> LockedMessage:
    """Lock the conversation of a message until the transaction ends; the membership is as new as the lock.

    Message.DoesNotExist if this person cannot read the message. Nobody can lock a conversation without being in it.
    """
    conversation_id = conversation_of(message_id)
    mine = Conversation.objects.filter(participants__user=by, participants__left_at=None)
    conversation = mine.select_for_update(no_key=True, of=("self",)).filter(pk=conversation_id).first()
    participant = memberships_of(by).filter(conversation=conversation_id).first()
    if conversation is None or participant is None:
        raise Message.DoesNotExist
    participant.conversation = conversation
    message = readable(participant).annotate(now=Now()).get(pk=message_id)
    return LockedMessage(message, participant, message.now)


def save_change(message: Message, conversation: Conversation) -> MessageJSON:
    """Store a changed message at the next version of its conversation, which is locked, and publish it on commit.

    Of a message that has expired only that something has changed is published.
    """
    message.version = bump_version(conversation)
    message.save(force_update=True)
    conversation.save(update_fields=["version", "changed_at"])
    shown = current_json(message)
    if has_expired(message, conversation):
        event = conversation_updated(conversation, {})
    else:
        event = message_updated(conversation.pk, conversation.epoch, shown)
    transaction.on_commit(partial(publish, [event]))
    return shown


def current_json(message: Message) -> MessageJSON:
    """Make the JSON of a message as it is stored now."""
    return messages_json([message])[0]
