"""Versions: every durable change of a conversation has its own version and is published on commit."""

from functools import partial

from django.db import transaction

from chatproject.core.database import now
from chatproject.core.realtime import publish
from conversations.access import members_of
from conversations.events import Changes, conversation_updated
from conversations.models import Conversation

DETAILS = {"name", "description", "avatar_url", "history", "owner_id"}


def bump_version(conversation: Conversation, *, membership: bool = False) -> int:
    """Increase the version of a conversation and return it. The caller has read the row after locking it.

    Set `membership` for a change that grants or revokes access: it also increases the epoch, so that every hub reloads
    the members.
    """
    conversation.version += 1
    conversation.epoch += membership
    conversation.changed_at = now()
    return conversation.version


def save_and_publish(conversation: Conversation, changes: Changes) -> None:
    """Store a conversation with its new version, and publish the changes to its members on commit."""
    if DETAILS & changes.keys():
        conversation.details_version = conversation.version
    if "participants" in changes:
        changes["participant_count"] = members_of(conversation).count()
    conversation.save()
    transaction.on_commit(partial(publish, [conversation_updated(conversation, changes)]))
