"""Repeated sends: a draft whose id is stored already is answered with the stored message, or it is a conflict."""

import hmac
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db import connection

from chatproject.core.dedicated_connection import DedicatedConnection
from chatproject.core.encryption.digests import digest, former_fingerprints
from chatproject.core.encryption.errors import Unreadable
from chatproject.core.encryption.sealing import unseal_digest
from chatproject.core.errors import IdConflict
from messaging.access import oldest, visible
from messaging.messages.draft import Draft
from messaging.messages.json import (
    REACTIONS,
    MessageJSON,
    ReactionJSON,
    message_json,
    messages_json,
    reactions_json,
)
from messaging.messages.outcome import SendResult
from messaging.models import Message

COLUMNS = [str(field.column) for field in Message._meta.concrete_fields]
ATTRIBUTES = [field.attname for field in Message._meta.concrete_fields]
# The stored message, and whether its sender can read it, still or again.
BY_ID = f"""
SELECT {", ".join(f"m.{column}" for column in COLUMNS)}, EXISTS (
    SELECT 1 FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
    WHERE p.user_id = m.sender_id AND {visible("m", "p", "c")}
)
FROM messaging_message m WHERE m.id = %(id)s
"""  # noqa: S608 (parts of our own)


def repeat_of(draft: Draft) -> SendResult:
    """Answer a repeated send, reading on this thread's connection; IdConflict if it is another message."""
    with connection.cursor() as cursor:
        cursor.execute(BY_ID, _parameters(draft))
        stored, is_visible = _stored(draft, cursor.fetchall())
    return SendResult(messages_json([stored])[0] if is_visible else hidden_json(stored), repeated=True)


async def read_repeat(draft: Draft, connection: DedicatedConnection) -> tuple[MessageJSON, MessageJSON]:
    """Read the message that is stored for a repeated send: its JSON for everyone, and that for its sender.

    IdConflict if it is another message.
    """
    stored, is_visible = _stored(draft, await connection.run(BY_ID, _parameters(draft)))
    message = message_json(stored, reactions=await _read_reactions(connection, stored))
    return message, message if is_visible else hidden_json(stored)


def _parameters(draft: Draft) -> dict[str, Any]:
    return {"id": draft.id, "oldest": oldest()}


def _stored(draft: Draft, rows: Sequence[Sequence[Any]]) -> tuple[Message, bool]:
    """Return the stored message, and whether its sender can read it; IdConflict if it is another message."""
    *columns, is_visible = rows[0] if rows else (None,)
    stored = Message.from_db("default", ATTRIBUTES, columns) if columns else None
    return require_same_message(draft, stored), bool(is_visible)


def require_same_message(draft: Draft, stored: Message | None) -> Message:
    """Return the stored message if this draft is what was first sent under its id; IdConflict if it is not."""
    if stored is None or stored.sender_id != draft.sender_id or not _has_same_content(draft, stored):
        raise IdConflict("Another message has this id.", pointer="/id")
    return stored


def hidden_json(stored: Message) -> MessageJSON:
    """Make the JSON of a message for its sender, who cannot see it any more: without reactions, and with the version
    at which it was stored, because a later one would tell that others have changed something since.
    """
    return {**message_json(stored), "version": stored.position}


def _has_same_content(draft: Draft, stored: Message) -> bool:
    if stored.fingerprint is not None:
        known = bytes(stored.fingerprint)
        return any(hmac.compare_digest(known, one) for one in former_fingerprints(*draft.parts))
    if known := _digest_of(stored):
        return hmac.compare_digest(known, digest(*draft.parts))
    # A deleted message keeps no digest; then the id and the sender have to be enough.
    return stored.conversation_id == draft.conversation_id


def _digest_of(stored: Message) -> bytes:
    """Return the digest of what was first sent as this message; empty if it has none, or cannot be opened."""
    if stored.body is None:
        return b""
    with suppress(Unreadable):
        return unseal_digest(bytes(stored.body), field="body", row=stored.pk, conversation=stored.conversation_id)
    return b""


async def _read_reactions(connection: DedicatedConnection, message: Message) -> Sequence[ReactionJSON]:
    # A message without a change has no reactions.
    rows = await connection.run(REACTIONS, {"messages": [message.pk]}) if message.version > message.position else ()
    return reactions_json(rows).get(message.pk, ())
