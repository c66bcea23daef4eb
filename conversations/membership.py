"""Joining, leaving and roles in a group, at the level of rows: the commands in `groups`, `invite_links` and
`contacts.account_closure` are built from these functions.

The caller has locked the conversation, so that its members and their roles do not change in between.
"""

from collections.abc import Collection, Sequence
from enum import IntEnum
from uuid import UUID

from django.utils import timezone
from procrastinate.contrib.django import app

from accounts.changes import publish_user_change
from accounts.models import User
from accounts.people.locks import lock_people
from chatproject.core.database import now
from chatproject.core.errors import Conflict, NotAllowed
from conversations.access import members_of, participant_of
from conversations.events import participants_json, role_of
from conversations.models import Conversation, Departure, InviteLink, Participant
from conversations.notices import Notice, append_notice
from conversations.versions import bump_version, save_and_publish

FORGET_JOB = "messaging.jobs.forget_conversation"
"""The job that deletes the messages of a deleted group."""


class Rank(IntEnum):
    """The order of roles: a member can act only on members of a lower rank."""

    MEMBER = 0
    ADMIN = 1
    OWNER = 2


REASONS = {
    Rank.ADMIN: "Only the admins of this group can do that.",
    Rank.OWNER: "Only the owner of this group can do that.",
}


def rank_of(participant: Participant) -> Rank:
    return Rank[role_of(participant, participant.conversation).upper()]


def require_rank(participant: Participant, least: Rank) -> None:
    """Raise NotAllowed if the participant is below a rank."""
    if rank_of(participant) < least:
        raise NotAllowed(REASONS[least])


def lock_group(*, by: User, conversation_id: UUID, least: Rank = Rank.MEMBER) -> Participant:
    """Lock a group until the transaction ends, and return the person's participant.

    Conversation.DoesNotExist for a stranger, Conflict for a direct conversation, NotAllowed below the rank.
    """
    entered = Conversation.objects.filter(pk=conversation_id, participants__user=by, participants__left_at=None)
    locked = entered.select_for_update(no_key=True, of=("self",)).get()
    # Read the participant after locking, so that it is current.
    participant = group_participant(by=by, conversation_id=conversation_id, least=least)
    participant.conversation = locked
    return participant


def group_participant(*, by: User, conversation_id: UUID, least: Rank = Rank.MEMBER) -> Participant:
    """Return the person's participant without locking the group; raises the same errors as `lock_group`."""
    participant = participant_of(by, conversation_id)
    participant.user = by
    if participant.conversation.kind != Conversation.Kind.GROUP:
        raise Conflict("This is a direct conversation, not a group.")
    require_rank(participant, least)
    return participant


def find_member(group: Conversation, user_id: UUID) -> Participant:
    """Return the participant of a member; Participant.DoesNotExist for anyone else."""
    participant = members_of(group).select_related("user").get(user_id=user_id)
    participant.conversation = group
    return participant


def add_participants(group: Conversation, users: Sequence[User], *, by: User) -> None:
    """Add people, whom the caller has locked, and publish it. Someone who was a member before starts afresh."""
    seen_from = group.version if group.shared_from is None else group.shared_from
    at = bump_version(group, membership=True)
    participants = [_new_participant(group, user, at=at, seen_from=seen_from) for user in users]
    Participant.objects.bulk_create(
        participants, update_conflicts=True, unique_fields=["conversation", "user"], update_fields=RENEWED
    )
    ids = [user.pk for user in users]
    Departure.objects.filter(conversation_id=group.pk, user__in=ids).delete()
    publish_user_change(people=ids)
    save_and_publish(group, {"participants": {"added": participants_json(participants, group)}})
    append_notice(group, Notice.JOINED, by=by, users=ids)


RENEWED = [
    field.name for field in Participant._meta.concrete_fields if field.name not in {"id", "conversation", "user"}
]


def _new_participant(group: Conversation, user: User, *, at: int, seen_from: int) -> Participant:
    """Build a participant who joins now: messages from before may be visible, but never count as unread."""
    return Participant(
        conversation=group,
        user=user,
        joined_version=at,
        changed_version=at,
        visible_from=seen_from,
        delivered_through=at - 1,
        read_through=at - 1,
    )


def remove_participant(participant: Participant, *, by: User, what: Notice) -> None:
    """Remove a participant from a group, and publish it to the other members."""
    group = participant.conversation
    at = bump_version(group, membership=True)
    Participant.objects.filter(pk=participant.pk).update(
        left_at=timezone.now(), left_version=at, changed_version=at, was_removed=what == Notice.REMOVED
    )
    revoke_links_of(participant)
    save_and_publish(group, {"participants": {"removed": [str(participant.user_id)]}})
    append_notice(group, what, by=by, users=[participant.user_id])


def record_departures(conversation_id: UUID, people: Collection[UUID], reason: Departure.Reason) -> None:
    """Record and publish that people are no longer in a conversation; offline devices learn it when they return."""
    at = now()
    gone = [Departure(user_id=id, conversation_id=conversation_id, reason=reason, at=at) for id in people]
    Departure.objects.bulk_create(
        gone, update_conflicts=True, unique_fields=["user", "conversation_id"], update_fields=["reason", "at"]
    )
    publish_user_change(people=people)


def set_participant_role(participant: Participant, role: str) -> None:
    """Make someone an admin or a member, and publish it."""
    group = participant.conversation
    participant.role, participant.changed_version = role, bump_version(group, membership=True)
    participant.save(update_fields=["role", "changed_version"])
    if role == Participant.Role.MEMBER:
        revoke_links_of(participant)
    save_and_publish(group, {"participants": {"updated": participants_json([participant], group)}})


def revoke_links_of(participant: Participant) -> None:
    """Revoke the invitation links of someone who is no longer an admin; they stay revoked if the role changes again."""
    links = InviteLink.objects.filter(
        conversation=participant.conversation, created_by=participant.user_id, revoked_at=None
    )
    links.update(revoked_at=timezone.now())


def transfer_ownership(owner: Participant, heir: Participant) -> None:
    """Make another member the owner, and publish it; the former owner stays as an admin."""
    group = owner.conversation
    at = bump_version(group, membership=True)
    group.owner_id = heir.user_id
    owner.role = heir.role = Participant.Role.ADMIN
    both = Participant.objects.filter(pk__in=[owner.pk, heir.pk])
    both.update(role=Participant.Role.ADMIN, changed_version=at)
    shown = participants_json([owner, heir], group)
    save_and_publish(group, {"owner_id": str(heir.user_id), "participants": {"updated": shown}})
    append_notice(group, Notice.TRANSFERRED, by=owner.user, users=[heir.user_id])


def dissolve(group: Conversation) -> None:
    """Delete a group for all its members. Nobody can read it from now on; a job deletes the messages afterwards."""
    id, people = group.pk, list(members_of(group).values_list("user", flat=True))
    lock_people(people)
    record_departures(id, people, Departure.Reason.DELETED)
    group.delete()
    app.configure_task(FORGET_JOB).defer(conversation_id=str(id))
