"""What was said: history in pages of positions, and single messages, as their reader may see them."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from chatproject.pages import LIMIT, Page
from conversations.access import place_of, present
from conversations.models import Conversation, Participant, direct_key
from messaging.events import MessageJSON, messages_json
from messaging.models import Message


def readable(place: Participant) -> QuerySet[Message]:
    """The messages that someone may read in a conversation: since they came, and younger than the retention."""
    oldest = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    return Message.objects.filter(
        conversation_id=place.conversation_id, position__gt=place.visible_from, created_at__gt=oldest
    )


def history(
    *,
    by: User,
    conversation_id: UUID,
    limit: int = LIMIT,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> Page[MessageJSON]:
    """Read one page of a conversation, oldest first: the latest, or next to a position.

    `before` and `after` leave their position out, `around` has it in the middle. `next` is the number to give for the
    same parameter to go on (for `before` if none was given); `has_more` looks the same way.
    """
    messages = readable(place_of(by, conversation_id))
    if after is not None:
        return _forward(messages.filter(position__gt=after), limit)
    if around is not None:
        return _around(messages, around, limit)
    return _backward(messages if before is None else messages.filter(position__lt=before), limit)


def direct_history(*, by: User, friend_id: UUID, limit: int = LIMIT, before: int | None = None) -> Page[MessageJSON]:
    """Read a page of the direct conversation with someone; Conversation.DoesNotExist if there is none."""
    conversation = Conversation.objects.only("pk").get(direct_key=direct_key(by.pk, friend_id))
    return history(by=by, conversation_id=conversation.pk, limit=limit, before=before)


def get_message(*, by: User, message_id: UUID) -> MessageJSON:
    """Read one message; Message.DoesNotExist if it is not there for this person."""
    message = Message.objects.get(pk=message_id)
    place = present(by).filter(conversation_id=message.conversation_id).first()
    if place is None:
        raise Message.DoesNotExist
    return messages_json([readable(place).get(pk=message_id)])[0]


def _forward(messages: QuerySet[Message], limit: int) -> Page[MessageJSON]:
    found = list(messages.order_by("position")[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    return _page(shown, shown[-1].position if more else None, more)


def _backward(messages: QuerySet[Message], limit: int) -> Page[MessageJSON]:
    found = list(messages.order_by("-position")[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    return _page(shown[::-1], shown[-1].position if more else None, more)


def _around(messages: QuerySet[Message], position: int, limit: int) -> Page[MessageJSON]:
    """Half of the page before a position, the rest from it on; `next` goes on towards the newest.

    It is so far ahead that the half before it begins no later than right behind what is shown.
    """
    older = list(messages.filter(position__lt=position).order_by("-position")[: limit // 2])
    newer = list(messages.filter(position__gte=position).order_by("position")[: limit - len(older) + 1])
    more = len(older) + len(newer) > limit
    shown = older[::-1] + newer[: limit - len(older)]
    return _page(shown, shown[-1].position + limit // 2 + 1 if more else None, more)


def _page(messages: list[Message], following: int | None, more: bool) -> Page[MessageJSON]:
    return Page(messages_json(messages), next=following, previous=None, has_more=more)
