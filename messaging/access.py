"""Which messages someone may read: one rule, as a piece of SQL and as a queryset.

A participant may read a message if

* they are in the conversation now, and it is a message of this conversation,
* its position is above `visible_from`, where the conversation begins for them,
* it has not expired: it is younger than the retention, and its position is above the conversation's `min_position`,
* they read all of the conversation; or it is a notice, their own, or addressed to them (`Participant.reads`).

Blocks end writing, not reading. A statement that reads messages contains `visible`, or `unexpired` where it reads for
several people at once; everything else begins with `readable`. `tests/checks/test_visibility.py` sees to that.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from conversations.access import memberships_of
from conversations.models import Conversation, Participant
from messaging.models import Message


def oldest() -> datetime:
    """Return the time at or before which messages have expired everywhere: the parameter `oldest` of `visible`."""
    return timezone.now() - timedelta(days=settings.RETENTION_DAYS)


def visible(message: str, participant: str, conversation: str, *, oldest: str = "%(oldest)s") -> str:
    """Write the condition under which a participant may read a message, for the aliases of these tables.

    It connects message and participant; the statement itself connects the conversation with either.
    """
    m, p = message, participant
    return f"""({p}.left_at IS NULL AND {m}.conversation_id = {p}.conversation_id
            AND {m}.position > {p}.visible_from AND {unexpired(m, conversation, oldest=oldest)}
            AND ({p}.reads IS DISTINCT FROM 'addressed' OR {m}.kind = 'notice' OR {m}.sender_id = {p}.user_id
                OR {p}.user_id = ANY({m}.addressed)))"""


def unexpired(message: str, conversation: str, *, oldest: str = "%(oldest)s") -> str:
    """Write the part of the condition that is the same for everyone in the conversation."""
    return f"{message}.position > {conversation}.min_position AND {message}.created_at > {oldest}"


def readable(participant: Participant) -> QuerySet[Message]:
    """The messages that a participant may read.

    There are none once they have left: that is checked by the query itself, because they may leave, and others write,
    after their participant was read.
    """
    still_so = Participant.objects.filter(
        pk=participant.pk, left_at=None, visible_from=participant.visible_from, reads=participant.reads
    )
    expired = Conversation.objects.filter(pk=participant.conversation_id).values("min_position")
    messages = Message.objects.filter(
        Exists(still_so),
        conversation_id=participant.conversation_id,
        position__gt=participant.visible_from,
        created_at__gt=oldest(),
    ).filter(position__gt=expired)
    if participant.reads != Participant.Reads.ADDRESSED:
        return messages
    own = Q(sender_id=participant.user_id) | Q(addressed__contains=[participant.user_id])
    return messages.filter(Q(kind=Message.Kind.NOTICE) | own)


def read_message(*, by: User, message_id: UUID) -> Message:
    """Read one message; Message.DoesNotExist unless this person may read it."""
    participant = memberships_of(by).filter(conversation_id=conversation_of(message_id)).first()
    if participant is None:
        raise Message.DoesNotExist
    return readable(participant).get(pk=message_id)


def conversation_of(message_id: UUID) -> UUID:
    """Return the id of a message's conversation, whoever asks; Message.DoesNotExist if there is no such message."""
    return Message.objects.values_list("conversation_id", flat=True).get(pk=message_id)


def unexpired_messages() -> QuerySet[Message]:
    """The messages that have not expired, whoever may read them."""
    return Message.objects.filter(created_at__gt=oldest(), position__gt=F("conversation__min_position"))


def has_expired(message: Message, conversation: Conversation) -> bool:
    """Tell whether nobody may read a message any more."""
    return message.position <= conversation.min_position or message.created_at <= oldest()


def restricted_readers(message: Message) -> frozenset[UUID] | None:
    """Return who may read a message although they read only what is addressed to them; None: all of them."""
    if message.kind == Message.Kind.NOTICE:
        return None
    return frozenset([message.sender_id, *(message.addressed or ())])
