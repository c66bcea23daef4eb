"""How a message changes: under its conversation's lock, at a version of its own, told on commit."""

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
from conversations.models import Conversation, Participant
from conversations.versions import bump_version
from messaging.access import readable
from messaging.messages.events import message_updated
from messaging.messages.json import MessageJSON, messages_json
from messaging.models import Message


@dataclass(frozen=True, slots=True)
class Held:
    """A message whose conversation is locked, and the place of whoever wants to change it, as new as the lock."""

    message: Message
    place: Participant
    now: datetime
    """The database's time."""

    @property
    def conversation(self) -> Conversation:
        return self.place.conversation

    def require_open(self) -> None:
        """Refuse what nothing can be added to: deleted messages, notices, conversations that the other has stopped."""
        if self.message.kind == Message.Kind.NOTICE:
            raise Unprocessable("A notice can't be changed.")
        if self.message.deleted_at is not None:
            raise Unprocessable("This message was deleted.")
        if self.place.barred:
            raise Blocked("This person has stopped the conversation.")


def hold(*, by: User, message_id: UUID) -> Held:
    """Lock the conversation of a message until the transaction ends.

    Message.DoesNotExist if the message is not there for this person; nobody locks what they are not in.
    """
    conversation_id = Message.objects.values_list("conversation_id", flat=True).get(pk=message_id)
    mine = Conversation.objects.filter(participants__user=by, participants__left_at=None)
    conversation = mine.select_for_update(no_key=True, of=("self",)).filter(pk=conversation_id).first()
    place = memberships_of(by).filter(conversation=conversation_id).first()
    if conversation is None or place is None:
        raise Message.DoesNotExist
    place.conversation = conversation
    message = readable(place).annotate(now=Now()).get(pk=message_id)
    return Held(message, place, message.now)


def announce(message: Message, conversation: Conversation) -> MessageJSON:
    """Store a message at the next version of its conversation, which is locked; tell the members on commit; show it."""
    message.version = bump_version(conversation)
    message.save(force_update=True)
    conversation.save(update_fields=["version", "changed_at"])
    shown = show(message)
    transaction.on_commit(partial(publish, [message_updated(conversation.pk, conversation.epoch, shown)]))
    return shown


def show(message: Message) -> MessageJSON:
    """Show a message as it is now."""
    return messages_json([message])[0]
