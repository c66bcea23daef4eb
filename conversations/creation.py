"""Starting direct conversations and creating groups."""

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import transaction

from accounts.changes import publish_user_change
from accounts.models import User
from accounts.people.locks import lock_people
from chatproject.core import rate_limits
from chatproject.core.database import now
from chatproject.core.errors import Blocked, Conflict, Unprocessable
from chatproject.core.rate_limits import quotas
from conversations.group_limits import check_size, validated_description, validated_name
from conversations.models import Conversation, Participant, direct_key
from conversations.notices import Notice, append_notice
from conversations.permissions import refresh_permissions, require_may_add


@transaction.atomic
def start_direct(*, by: User, to: User) -> tuple[Conversation, bool]:
    """Return the direct conversation of two people, and whether it is new; create it if there is none.

    Two people who start it at the same time get the same conversation: the second one waits at the unique key of the
    pair. Blocked if there is none yet and `by` may not write to `to`.
    """
    if by.pk == to.pk:
        raise Unprocessable("You can't start a conversation with yourself.", pointer="/to")
    made = Conversation(kind=Conversation.Kind.DIRECT, direct_key=direct_key(by.pk, to.pk), changed_at=now())
    Conversation.objects.bulk_create([made], ignore_conflicts=True)
    conversation = Conversation.objects.get(direct_key=made.direct_key)
    if conversation.pk != made.pk:
        return conversation, False
    _add_participants(conversation, [by, to])
    refresh_permissions([conversation])
    if conversation.participants.filter(user=by, barred=True).exists():
        raise Blocked("You can't write to this person.", pointer="/to")
    return conversation, True


def create_group(
    *,
    by: User,
    name: str,
    description: str = "",
    participants: Sequence[User] = (),
    history: str = Conversation.History.JOINED,
) -> Conversation:
    """Create a group, owned by `by`, with its first members.

    Blocked if `by` may not add one of them, RateLimited after too many groups or additions in a day.
    """
    members = list({user.pk: user for user in (by, *participants)}.values())
    check_size(len(members), pointer="/participants")
    additions = quotas.group_additions(settings.GROUP_MEMBERS)
    with rate_limits.charged(by.pk, (quotas.GROUPS, 1), (additions, len(members) - 1)):
        return _create_group(by, members, name=name, description=description, history=history)


@transaction.atomic
def _create_group(by: User, members: Sequence[User], *, name: str, description: str, history: str) -> Conversation:
    # Lock the people before checking the permissions, so that nobody blocks anybody in between.
    lock_people(user.pk for user in members)
    require_may_add(by=by, users=members)
    conversation = Conversation.objects.create(
        kind=Conversation.Kind.GROUP,
        name=validated_name(name),
        description=validated_description(description),
        history=history,
        shared_from=0 if history == Conversation.History.SHARED else None,
        owner=by,
    )
    _add_participants(conversation, members)
    append_notice(conversation, Notice.CREATED, by=by, users=[user.pk for user in members[1:]], name=conversation.name)
    return conversation


def _add_participants(conversation: Conversation, users: Iterable[User]) -> None:
    """Create the participants. Lock the people first, so that no account is closed and no permission changes."""
    participants = [
        Participant(conversation=conversation, user=user) for user in sorted(users, key=lambda user: user.pk)
    ]
    if len(lock_people(participant.user_id for participant in participants)) < len(participants):
        raise Conflict("Someone here has just closed their account.")
    for participant in participants:
        if participant.user_id == conversation.owner_id:
            participant.role = Participant.Role.ADMIN
    Participant.objects.bulk_create(participants)
    publish_user_change(people=[participant.user_id for participant in participants])
