"""The commands of groups: their name and other details, their members, and the roles of the members.

Each command raises Conversation.DoesNotExist for a stranger, Conflict for a direct conversation, and NotAllowed for a
member whose rank is too low. A command that changes nothing succeeds and does not bump the version.
"""

from collections.abc import Sequence
from types import EllipsisType
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.people.locks import lock_people
from accounts.people.profiles import avatar_path
from chatproject.core import rate_limits
from chatproject.core.errors import Conflict, Invalid, NotAllowed, Unprocessable
from chatproject.core.rate_limits import quotas
from conversations.access import members_of
from conversations.avatars import replace_avatar
from conversations.events import Changes
from conversations.group_limits import check_size, validated_description, validated_name
from conversations.membership import (
    Rank,
    add_participants,
    dissolve,
    find_member,
    lock_group,
    rank_of,
    record_departures,
    remove_participant,
    require_rank,
    set_participant_role,
    transfer_ownership,
)
from conversations.models import Conversation, Departure, Participant
from conversations.notices import Notice, append_notice
from conversations.permissions import require_may_add
from conversations.versions import bump_version, save_and_publish


@transaction.atomic
def update_group(
    *,
    by: User,
    conversation_id: UUID,
    name: str | None = None,
    description: str | None = None,
    history: str | None = None,
    avatar_media_id: UUID | EllipsisType | None = ...,
) -> Conversation:
    """Change the named details of a group; for admins.

    With a `shared` history, newcomers see the messages that are sent after the history was shared.
    """
    group = lock_group(by=by, conversation_id=conversation_id, least=Rank.ADMIN).conversation
    changes: Changes = {}
    if name is not None and (name := validated_name(name)) != group.name:
        group.name = changes["name"] = name
    if description is not None and (description := validated_description(description)) != group.description:
        group.description = changes["description"] = description
    if history is not None and history != group.history:
        _set_history(group, history)
        changes["history"] = history
    if avatar_media_id is not ... and avatar_media_id != group.avatar_id:
        group.avatar_id = replace_avatar(group.avatar_id, avatar_media_id, owner_id=by.pk, of_group=group.pk)
        changes["avatar_url"] = avatar_path(group.avatar_id)
    if changes:
        bump_version(group)
        save_and_publish(group, changes)
    if "name" in changes:
        append_notice(group, Notice.RENAMED, by=by, name=group.name)
    return group


def _set_history(group: Conversation, history: str) -> None:
    """Let newcomers see all messages from now on (`shared`), or only those sent after they join (`joined`)."""
    if history not in Conversation.History.values:
        raise Invalid("The history must be joined or shared.", pointer="/history")
    group.history = history
    group.shared_from = group.last_position if history == Conversation.History.SHARED else None


def add_members(*, by: User, conversation_id: UUID, users: Sequence[User]) -> Conversation:
    """Add people to a group; for admins. Those who are members already do not change.

    Blocked if `by` may not add someone, User.DoesNotExist for a closed account, Unprocessable if the group would be
    too large, RateLimited after too many additions in a day.
    """
    named = {user.pk for user in users}
    already = Participant.objects.filter(conversation=conversation_id, left_at=None, user__in=named).count()
    with rate_limits.charged(by.pk, (quotas.group_additions(settings.GROUP_MEMBERS), len(named) - already)):
        return _add_members(by, conversation_id, users)


@transaction.atomic
def _add_members(by: User, conversation_id: UUID, users: Sequence[User]) -> Conversation:
    group = lock_group(by=by, conversation_id=conversation_id, least=Rank.ADMIN).conversation
    already = set(members_of(group).values_list("user", flat=True))
    wanted = {user.pk for user in users} - already
    if not wanted:
        return group
    newcomers = lock_people(wanted)
    if len(newcomers) < len(wanted):
        raise User.DoesNotExist
    require_may_add(by=by, users=newcomers, pointer="/users")
    check_size(len(already) + len(newcomers), pointer="/users")
    add_participants(group, newcomers, by=by)
    return group


@transaction.atomic
def remove_member(*, by: User, conversation_id: UUID, user_id: UUID) -> None:
    """Remove a member of lower rank; Participant.DoesNotExist if the person is not a member."""
    mine = lock_group(by=by, conversation_id=conversation_id)
    if user_id == by.pk:
        raise NotAllowed("You can't remove yourself. You can leave the group instead.")
    require_rank(mine, Rank.ADMIN)
    theirs = find_member(mine.conversation, user_id)
    if rank_of(theirs) >= rank_of(mine):
        raise NotAllowed("Only the owner of this group can remove an admin, and nobody can remove the owner.")
    lock_people([user_id])
    remove_participant(theirs, by=by, what=Notice.REMOVED)
    record_departures(conversation_id, [user_id], Departure.Reason.REMOVED)


@transaction.atomic
def set_role(*, by: User, conversation_id: UUID, user_id: UUID, role: str) -> Participant:
    """Make a member an admin, or an admin a member; for the owner.

    Participant.DoesNotExist if the person is not in the group.
    """
    mine = lock_group(by=by, conversation_id=conversation_id, least=Rank.OWNER)
    if role not in Participant.Role.values:
        raise Invalid("The role must be admin or member.", pointer="/role")
    theirs = find_member(mine.conversation, user_id)
    if user_id == by.pk:
        raise NotAllowed("You own this group. Make someone else its owner first.")
    if theirs.role != role:
        set_participant_role(theirs, role)
    return theirs


@transaction.atomic
def leave(*, by: User, conversation_id: UUID) -> None:
    """Leave a group. The owner can't leave while it has other members (Conflict); the last member deletes it."""
    mine = lock_group(by=by, conversation_id=conversation_id)
    if not members_of(mine.conversation).exclude(user=by).exists():
        return dissolve(mine.conversation)
    if rank_of(mine) == Rank.OWNER:
        raise Conflict("You own this group. Transfer it to someone first.")
    lock_people([by.pk])
    remove_participant(mine, by=by, what=Notice.LEFT)
    return record_departures(conversation_id, [by.pk], Departure.Reason.LEFT)


@transaction.atomic
def transfer(*, by: User, conversation_id: UUID, to: User) -> Conversation:
    """Make another member the owner; for the owner, who stays as an admin.

    Participant.DoesNotExist if the other is not a member, Unprocessable if it is the owner.
    """
    mine = lock_group(by=by, conversation_id=conversation_id, least=Rank.OWNER)
    if to.pk == by.pk:
        raise Unprocessable("You already own this group.", pointer="/to")
    transfer_ownership(mine, find_member(mine.conversation, to.pk))
    return mine.conversation


@transaction.atomic
def delete_group(*, by: User, conversation_id: UUID) -> None:
    """Delete a group with all its messages; for the owner."""
    dissolve(lock_group(by=by, conversation_id=conversation_id, least=Rank.OWNER).conversation)
