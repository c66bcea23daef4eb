"""Loading what has happened in a conversation after a version, as frames in the order of versions."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import models

from accounts.models import User
from chatproject.core.realtime import encode
from conversations.events import ConversationUpdated
from conversations.models import Conversation, Participant
from messaging.access import oldest, restricted_readers, unexpired
from messaging.media.attachments import MEDIA_OF_MESSAGES, group_media
from messaging.messages.json import REACTIONS, MessageJSON, has_media, message_json, reactions_json
from messaging.models import Message
from messaging.realtime.people import Membership
from messaging.realtime.snapshots import Run, read_snapshot
from messaging.sync.replay import Change, replay

CHANGES_MOST = 500
"""Changes that are loaded at once; where there are more, devices are told to fetch for themselves."""


def _columns(model: type[models.Model]) -> str:
    """Name the columns of a model: the table may have others, which a later release has added."""
    return ", ".join(str(field.column) for field in model._meta.concrete_fields)


CONVERSATION = f"SELECT {_columns(Conversation)} FROM conversations_conversation WHERE id = %s"  # noqa: S608 (names of our own)
MEMBERSHIPS = """
SELECT user_id, visible_from, reads, joined_version, barred FROM conversations_participant
WHERE conversation_id = %s AND user_id = ANY(%s) AND left_at IS NULL
"""
# For several people: each gets what their membership allows (`Membership.sees`).
MESSAGES_CHANGED = f"""
SELECT m.* FROM conversations_conversation c CROSS JOIN LATERAL (
    SELECT {_columns(Message)} FROM messaging_message m
    WHERE m.conversation_id = c.id AND m.position > %(after)s AND {unexpired("m", "c")}
    UNION ALL
    SELECT {_columns(Message)} FROM messaging_message m
    WHERE m.conversation_id = c.id AND m.version > %(after)s AND m.version > m.position AND m.position <= %(after)s
        AND {unexpired("m", "c")}
) m WHERE c.id = %(id)s
"""  # noqa: S608 (parts of our own)
PARTICIPANTS_CHANGED = f"""
SELECT {_columns(Participant)} FROM conversations_participant
WHERE conversation_id = %s AND changed_version > %s ORDER BY id
"""  # noqa: S608 (names of our own)
MEMBER_COUNT = "SELECT count(*) AS size FROM conversations_participant WHERE conversation_id = %s AND left_at IS NULL"
SHOWN_USERS = """
SELECT id, username, display_name, about, avatar_id, is_bot, settings, closed_at FROM accounts_user WHERE id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class ConversationState:
    version: int
    epoch: int
    memberships: dict[UUID, Membership]
    """Of the people who were asked about, those who are members."""
    changes: list[Change]


async def load_changes(id: UUID, *, after: int, people: Collection[UUID]) -> ConversationState | None:
    """Load what has happened in a conversation after a version, and who of these people are members.

    None if it does not exist any more. Instead of too many changes it gives one, a `resync`: fetch what you missed.
    """
    async with read_snapshot() as run:
        found = await run(CONVERSATION, id)
        if not found:
            return None
        conversation = Conversation(**found[0]._asdict())
        rows = await run(MEMBERSHIPS, id, list(people))
        memberships = {row.user_id: Membership.of(row, epoch=conversation.epoch) for row in rows}
        if conversation.version - after > CHANGES_MOST:
            changes = [Change(conversation.version, conversation.version, resync_frame(id))]
        else:
            changes = await _changes(run, conversation, after)
    return ConversationState(conversation.version, conversation.epoch, memberships, changes)


async def _changes(run: Run, conversation: Conversation, after: int) -> list[Change]:
    rows = await run(MESSAGES_CHANGED, {"id": conversation.pk, "after": after, "oldest": oldest()})
    messages = [Message(**row._asdict()) for row in rows]
    participants = await _changed_participants(run, conversation, after)
    size = (await run(MEMBER_COUNT, conversation.pk))[0].size if participants else 0
    shown = await _messages_json(run, messages)
    readers = {str(message.pk): restricted_readers(message) for message in messages}
    return replay(conversation, after=after, messages=shown, readers=readers, participants=participants, size=size)


async def _messages_json(run: Run, messages: Collection[Message]) -> list[MessageJSON]:
    changed = [message.pk for message in messages if message.version > message.position]
    reactions = reactions_json(await run(REACTIONS, {"messages": changed})) if changed else {}
    with_media = [message.pk for message in messages if has_media(message)]
    media = group_media(await run(MEDIA_OF_MESSAGES, {"messages": with_media})) if with_media else {}
    return [
        message_json(message, reactions=reactions.get(message.pk, ()), media=media.get(message.pk, ()))
        for message in messages
    ]


async def _changed_participants(run: Run, conversation: Conversation, after: int) -> list[Participant]:
    participants = [Participant(**row._asdict()) for row in await run(PARTICIPANTS_CHANGED, conversation.pk, after)]
    users = await run(SHOWN_USERS, [each.user_id for each in participants]) if participants else []
    known = {row.id: User(**row._asdict()) for row in users}
    for participant in participants:
        participant.user = known[participant.user_id]
    return participants


def something_changed(id: UUID, version: int, epoch: int) -> bytes:
    """Write the frame for those who may not see what has changed at a version."""
    return ConversationUpdated(str(id), version, epoch, {}).frame()


def resync_frame(id: UUID) -> bytes:
    """Write the frame that tells a device to fetch what it missed of a conversation."""
    return encode({"type": "resync", "data": {"conversation_id": str(id)}})
