"""The history of a conversation in pages of positions, and single messages, as their reader may see them."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from chatproject.core.pagination import Page
from conversations.access import participant_of
from conversations.models import Conversation, direct_key
from messaging.access import read_message, readable
from messaging.messages.json import MessageJSON, messages_json
from messaging.models import Message

HISTORY_PAGE_SIZE = 50
"""How many messages a page of history has unless the caller asks for another number."""


def history(
    *,
    by: User,
    conversation_id: UUID,
    limit: int = HISTORY_PAGE_SIZE,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> Page[MessageJSON]:
    """Read one page of a conversation, oldest message first: the latest page, or the one next to a position.

    `before` and `after` exclude their position, `around` has it in the middle. `next` is the value of the same
    parameter for the next page (of `before` if none was given); `has_more` refers to the same direction.
    """
    messages = readable(participant_of(by, conversation_id))
    if after is not None:
        return _forward(messages.filter(position__gt=after), limit)
    if around is not None:
        return _around(messages, around, limit)
    return _backward(messages if before is None else messages.filter(position__lt=before), limit)


def direct_history(
    *, by: User, friend_id: UUID, limit: int = HISTORY_PAGE_SIZE, before: int | None = None
) -> Page[MessageJSON]:
    """Read a page of the direct conversation with someone; Conversation.DoesNotExist if there is none."""
    conversation = Conversation.objects.only("pk").get(direct_key=direct_key(by.pk, friend_id))
    return history(by=by, conversation_id=conversation.pk, limit=limit, before=before)


def get_message(*, by: User, message_id: UUID) -> MessageJSON:
    """Read one message; Message.DoesNotExist if this person may not see it."""
    return messages_json([read_message(by=by, message_id=message_id)])[0]


def _forward(messages: QuerySet[Message], limit: int) -> Page[MessageJSON]:
    found = list(messages.order_by("position")[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    return _page(shown, shown[-1].position if more else None, more)


def _backward(messages: QuerySet[Message], limit: int) -> Page[MessageJSON]:
    found = list(messages.order_by("-position")[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    return _page(shown[::-1], shown[-1].position if more else None, more)


def _around(messages: QuerySet[Message], position: int, limit: int) -> Page[MessageJSON]:
    """Read half of the page before a position, and the rest from it on; `next` continues towards the newest message.

    `next` is so far ahead that the half page before it begins directly after this page.
    """
    older = list(messages.filter(position__lt=position).order_by("-position")[: limit // 2])
    newer = list(messages.filter(position__gte=position).order_by("position")[: limit - len(older) + 1])
    more = len(older) + len(newer) > limit
    shown = older[::-1] + newer[: limit - len(older)]
    return _page(shown, shown[-1].position + limit // 2 + 1 if more else None, more)


def _page(messages: list[Message], following: int | None, more: bool) -> Page[MessageJSON]:
    return Page(messages_json(messages), next=following, previous=None, has_more=more)
