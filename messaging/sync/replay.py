"""Events of a conversation after a version, reconstructed from its present state.

Events are not stored. Each row has only the version of its last change. A version that no row has any more was
followed by a later change of the same row: it is replayed as an empty change, and the present state follows at the
later version.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from accounts.people.profiles import avatar_path
from conversations.events import Changes, ConversationUpdated, Members, PlaceJSON, participant_json
from conversations.models import Conversation, Participant
from messaging.messages.events import MessageCreated, MessageUpdated
from messaging.messages.json import ConversationJSON, MessageJSON


class Change(NamedTuple):
    """One event as a frame, for participants who can see messages from position `since` on.

    Of those who read only what is addressed to them it is for its `readers`; None: for all of them.
    """

    version: int
    since: int
    frame: bytes
    readers: frozenset[UUID] | None = None


def replay(
    conversation: Conversation,
    *,
    after: int,
    messages: Iterable[MessageJSON],
    readers: Mapping[str, frozenset[UUID] | None],
    participants: Iterable[Participant],
    size: int,
) -> list[Change]:
    """Return an event for every version after one, in order, from the messages and participants changed since.

    `readers` says by a message's id who may read it of those who read only what is addressed to them; `size` is the
    present number of members.
    """
    replayed = _messages_by_version(conversation, messages, readers)
    members = _members_by_version(conversation, participants)
    versions = range(after + 1, conversation.version + 1)
    return [
        replayed.get(version) or _changed(conversation, version, members.get(version), size) for version in versions
    ]


def _messages_by_version(
    conversation: Conversation, messages: Iterable[MessageJSON], readers: Mapping[str, frozenset[UUID] | None]
) -> dict[int, Change]:
    """Replay a message at its position, and again at the version of its last change."""
    id, replayed = str(conversation.pk), {}
    for message in messages:
        at, altered, who = message["position"], message["version"], readers[message["id"]]
        replayed[at] = Change(at, at, MessageCreated(id, at, message).frame(), who)
        if altered > at:
            replayed[altered] = Change(altered, at, MessageUpdated(id, altered, message).frame(), who)
    return replayed


def _members_by_version(conversation: Conversation, participants: Iterable[Participant]) -> dict[int, Members]:
    """Return who was added, updated and removed, by version. Of former members only the removal is known."""
    found: defaultdict[int, Members] = defaultdict(Members)
    for participant in participants:
        if participant.left_version is not None:
            found[participant.left_version].setdefault("removed", []).append(str(participant.user_id))
            continue
        shown = participant_json(participant, conversation)
        found[participant.joined_version].setdefault("added", []).append(shown)
        if participant.changed_version > participant.joined_version:
            found[participant.changed_version].setdefault("updated", []).append(shown)
    return found


def _changed(conversation: Conversation, version: int, members: Members | None, size: int) -> Change:
    it = conversation
    changes: Changes = {}
    if it.details_version == version:
        changes = {"name": it.name, "description": it.description, "history": it.history}
        changes["avatar_url"] = avatar_path(it.avatar_id)
        changes["owner_id"] = str(it.owner_id) if it.owner_id else None
    if members:
        changes["participants"], changes["participant_count"] = members, size
    return Change(version, version, ConversationUpdated(str(it.pk), version, it.epoch, changes).frame())


def as_empty(shown: ConversationJSON) -> ConversationJSON:
    """Return a conversation as it was before its first message.

    Watermarks keep their present values: they have no version, and messages read since are not unread when replayed.
    """
    nothing_unread: PlaceJSON = {**shown["me"], "unread_count": 0, "mention_count": 0}
    return {**shown, "version": 0, "last_position": 0, "last_message": None, "me": nothing_unread}
