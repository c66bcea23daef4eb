"""The append of a batch of one, for REST, pages, the admin and jobs: the lane's statement on the connection they have.

An id that is there already is a repeat, answered with what was stored, or a conflict.
"""

import hmac
import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from chatproject.core import metrics
from chatproject.core.database import without_connection
from chatproject.core.encryption import fingerprints, seal
from chatproject.core.errors import Blocked, IdConflict, Invalid, Unavailable, Unprocessable
from chatproject.core.ids import minted_ms, uuid7
from chatproject.core.realtime import publish, timestamp_of
from conversations.models import Conversation
from messaging.media.attachments import MediaJSON, media_of, take_media
from messaging.messages.append_sql import Draft, Outcome, parameters, statement
from messaging.messages.events import message_created
from messaging.messages.json import MessageJSON, message_json, messages_json, shape
from messaging.messages.mentions import names_in
from messaging.models import Message
from messaging.retention.partitions import make_partitions

logger = logging.getLogger(__name__)

ID_MAX_AGE_MS = 7 * 24 * 3600 * 1000
ID_MAX_AHEAD_MS = 2 * 60 * 1000
TRIES = 8


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to a send: the message as it is now, and whether this send was a repeat of an earlier one."""

    message: MessageJSON
    repeated: bool


def draft(
    *,
    sender_id: UUID,
    conversation_id: UUID,
    text: str,
    id: UUID | None = None,
    kind: str = Message.Kind.TEXT,
    reply_to_id: UUID | None = None,
    media: Sequence[UUID] = (),
) -> Draft:
    """Make a message ready for the append: named, sealed and fingerprinted."""
    id = id or uuid7()
    hung = b"".join([each.bytes for each in media])
    said = (kind.encode(), text.encode(), hung, reply_to_id.bytes if reply_to_id else b"")
    return Draft(
        id=id,
        conversation_id=conversation_id,
        sender_id=sender_id,
        kind=kind,
        text=text,
        reply_to_id=reply_to_id,
        body=seal(text, field="body", row=id, conversation=conversation_id),
        fingerprints=fingerprints(sender_id.bytes, conversation_id.bytes, *said),
        timely=-ID_MAX_AHEAD_MS <= time.time() * 1000 - minted_ms(id) <= ID_MAX_AGE_MS,
        names=names_in(text),
        media=media,
    )


def append(draft: Draft) -> Said:
    """Append one message on this thread's connection, in its transaction if there is one; publish on commit.

    What hangs on it is hung there in the same transaction: Unprocessable if not all of it can be.
    """
    with transaction.atomic() if draft.media else nullcontext():
        return _append(draft)


def _append(draft: Draft) -> Said:
    for attempt in range(TRIES):
        outcome = _try(draft)
        if outcome is None:
            continue
        if said := settle(draft, outcome):
            said.message["media"] = _hang(draft)
            transaction.on_commit(metrics.MESSAGES.inc)
            post = message_created(draft.conversation_id, outcome.epoch, said.message)
            transaction.on_commit(partial(publish, [post]))
            return said
        if outcome.what == "seen":
            stored = recognise(draft, Message.objects.filter(pk=draft.id).first())
            return Said(messages_json([stored])[0] if outcome.sees_it else unseen_json(stored), repeated=True)
        _pause(0.005 * attempt)
    raise Unavailable("The conversation is changing too fast. Please try again.")


def _pause(seconds: float) -> None:
    """Give way before the next try; inside a transaction the conversation is locked, and the next try is the last."""
    if not connection.in_atomic_block:
        with without_connection():
            time.sleep(seconds)


def _hang(draft: Draft) -> list[MediaJSON]:
    """Hang on a message what belongs to it, now that it is stored."""
    if not draft.media:
        return []
    about = {"message_id": draft.id, "conversation_id": draft.conversation_id, "sender_id": draft.sender_id}
    if not take_media(draft.media, **about):
        raise Unprocessable("This is not yours, not ready, or sent already.", pointer="/media")
    return media_of([draft.id])[draft.id]


def _try(draft: Draft) -> Outcome | None:
    """Run the statement; None if it is to be run again: the same id came in meanwhile, or its week was not there."""
    # Within a larger transaction a failure must not spoil that; alone, a savepoint would only cost round trips.
    guard = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with guard, connection.cursor() as cursor:
            cursor.execute(statement([draft]), parameters([draft], retention_days=settings.RETENTION_DAYS))
            return Outcome(*cursor.fetchone())
    except IntegrityError as error:
        if isinstance(error.__cause__, psycopg.errors.CheckViolation):
            logger.critical("no partition for a message; making the missing weeks now")
            make_partitions()
        elif not isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            raise
    return None


def settle(draft: Draft, outcome: Outcome) -> Said | None:
    """Answer a draft that is stored now, raise what refuses it; None if it was seen before or is to be tried again."""
    if outcome.what == "refused":
        raise refusal(outcome)
    return Said(stored_json(draft, outcome), repeated=False) if outcome.what == "new" else None


def stored_json(draft: Draft, outcome: Outcome) -> MessageJSON:
    """Show a message that has just been stored, without reading it back."""
    at = outcome.position
    message = shape(draft, text=draft.text, position=at, version=at, created_at=timestamp_of(outcome.created_ms))
    message["mentions"] = [str(user_id) for user_id in outcome.mentions or ()]
    return message


def recognise(draft: Draft, stored: Message | None) -> Message:
    """Give the stored message if this draft is what was first sent under its id; IdConflict if it is not.

    A deleted message keeps no fingerprint, and then the sender's word is enough.
    """
    if stored is None or stored.sender_id != draft.sender_id or not same_content(draft, stored):
        raise IdConflict("Another message has this id.", pointer="/id")
    return stored


def unseen_json(stored: Message) -> MessageJSON:
    """Show a message to its sender, who can't see it any more: what they said, and nothing that others have done since,
    which would already show in its version.
    """
    return {**message_json(stored), "version": stored.position}


def same_content(draft: Draft, stored: Message) -> bool:
    if stored.fingerprint is None:
        return stored.conversation_id == draft.conversation_id
    return any(hmac.compare_digest(bytes(stored.fingerprint), one) for one in draft.fingerprints)


def refusal(outcome: Outcome) -> Exception:
    """Say why the append refused a draft, the first reason that the sender may know."""
    if not outcome.is_in:
        return Conversation.DoesNotExist()
    if outcome.barred:
        return Blocked("This person has stopped the conversation.")
    if not outcome.replies_to_something:
        return Unprocessable("The message replied to is not there.", pointer="/reply_to_id")
    return Invalid("The time in this id is too far from the server's. Name the message anew.", pointer="/id")
