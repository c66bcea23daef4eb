"""What happened in a conversation after a version, told again from its present state.

Nothing is kept of what happened but where it happened: each row carries the version at which it last changed. A version
that nothing carries any more was followed by another change of the same thing, and is told as a change of nothing; what
has become of it comes at the later version.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from accounts.people.profiles import avatar_path
from conversations.events import Changes, ConversationUpdated, Members, PlaceJSON, participant_json
from conversations.models import Conversation, Participant
from messaging.messages.events import MessageCreated, MessageUpdated
from messaging.messages.json import ConversationJSON, MessageJSON


class Change(NamedTuple):
    """A change of a conversation as a frame, for those who see messages from the position `since` on."""

    version: int
    since: int
    frame: bytes


def replay(
    conversation: Conversation,
    *,
    after: int,
    messages: Iterable[MessageJSON],
    places: Iterable[Participant],
    size: int,
) -> list[Change]:
    """Tell every version after one, in order, from the messages and places that have changed since. `size` is the
    number of those who are in now.
    """
    said, members = _said(conversation, messages), _members(conversation, places)
    versions = range(after + 1, conversation.version + 1)
    return [said.get(version) or _changed(conversation, version, members.get(version), size) for version in versions]


def _said(conversation: Conversation, messages: Iterable[MessageJSON]) -> dict[int, Change]:
    """A message is told at its position, and once more where it last changed."""
    id, said = str(conversation.pk), {}
    for message in messages:
        at, altered = message["position"], message["version"]
        said[at] = Change(at, at, MessageCreated(id, at, message).frame())
        if altered > at:
            said[altered] = Change(altered, at, MessageUpdated(id, altered, message).frame())
    return said


def _members(conversation: Conversation, places: Iterable[Participant]) -> dict[int, Members]:
    """Who came, changed and went, by version; whoever has gone since did not come, as far as can be told."""
    found: defaultdict[int, Members] = defaultdict(Members)
    for place in places:
        if place.left_version is not None:
            found[place.left_version].setdefault("removed", []).append(str(place.user_id))
            continue
        shown = participant_json(place, conversation)
        found[place.joined_version].setdefault("added", []).append(shown)
        if place.changed_version > place.joined_version:
            found[place.changed_version].setdefault("updated", []).append(shown)
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


def as_begun(shown: ConversationJSON) -> ConversationJSON:
    """Show a conversation as it was before anything was said in it. Marks stay as they are: they have no version, and
    what was read since is not unread when it is told.
    """
    nothing_unread: PlaceJSON = {**shown["me"], "unread_count": 0, "mention_count": 0}
    return {**shown, "version": 0, "last_position": 0, "last_message": None, "me": nothing_unread}
