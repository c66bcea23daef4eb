"""How a conversation changes: every durable change has a version of its own, and is told on commit."""

from functools import partial

from django.db import transaction

from chatproject.core.database import now
from chatproject.core.realtime import publish
from conversations.access import members_of
from conversations.events import Changes, conversation_updated
from conversations.models import Conversation

DETAILS = {"name", "description", "avatar_url", "history", "owner_id"}


def bump_version(conversation: Conversation, *, membership: bool = False) -> int:
    """Take the next version of a conversation whose row the caller has locked and read since; give it.

    `membership` is for whatever gives or takes a right: the epoch changes with it, and every hub reads anew who is in.
    """
    conversation.version += 1
    conversation.epoch += membership
    conversation.changed_at = now()
    return conversation.version


def save_and_publish(conversation: Conversation, changes: Changes) -> None:
    """Store a conversation at the version it has reached, and tell its members what changed when that is committed."""
    if DETAILS & changes.keys():
        conversation.details_version = conversation.version
    if "participants" in changes:
        changes["participant_count"] = members_of(conversation).count()
    conversation.save()
    transaction.on_commit(partial(publish, [conversation_updated(conversation, changes)]))
