"""Closing an account: the personal data are deleted, the messages stay."""

import secrets
from collections.abc import Sequence

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Q
from django.utils import timezone

from accounts.changes import publish_user_change
from accounts.models import Block, Contact, ContactInvitation, Session, User
from accounts.people.relationships import people_listing
from conversations.access import memberships_of
from conversations.avatars import replace_avatar
from conversations.events import participants_json
from conversations.group_succession import successors_of
from conversations.membership import dissolve, remove_participant, transfer_ownership
from conversations.models import Conversation, Participant
from conversations.notices import Notice
from conversations.permissions import Locked, refresh_permissions, with_locks
from conversations.versions import bump_version, save_and_publish


def close_account(*, by: User) -> None:
    """Close the account of a person permanently.

    Their sessions and sockets end. Their groups get another owner; a group without other members is deleted with its
    messages. Their other messages stay, under the name "Deleted account". The username can be used again.
    """
    with_locks(
        lambda locked: _close(locked, locked.person(by.pk)),
        people=lambda: people_listing(by.pk),
        conversations=Conversation.objects.filter(participants__user=by, participants__left_at=None),
    )


def _close(locked: Locked, user: User) -> None:
    # Erase first, so that no event that follows contains the name.
    erase(user)
    Participant.objects.filter(user=user).update(draft=None)
    participants = _participants_of(user, locked.conversations)
    successors = successors_of(user, locked.conversations)
    for participant in participants:
        if participant.conversation.kind == Conversation.Kind.DIRECT:
            _publish_new_name(participant)
        else:
            _leave(participant, successors.get(participant.conversation_id))
    refresh_permissions(locked.conversations)
    publish_user_change(people=[each.pk for each in locked.people], contacts=True)


def _participants_of(user: User, conversations: Sequence[Conversation]) -> list[Participant]:
    """The participants of a person in the locked conversations, each with its locked conversation."""
    locked = {conversation.pk: conversation for conversation in conversations}
    participants = list(memberships_of(user).filter(conversation__in=locked).order_by("conversation"))
    for participant in participants:
        participant.conversation, participant.user = locked[participant.conversation_id], user
    return participants


def _leave(participant: Participant, successor: Participant | None) -> None:
    """Remove the person from a group: the successor gets the ownership; without one the group is deleted."""
    if successor is None:
        return dissolve(participant.conversation)
    if participant.conversation.owner_id == participant.user_id:
        transfer_ownership(participant, successor)
    return remove_participant(participant, by=participant.user, what=Notice.LEFT)


def _publish_new_name(participant: Participant) -> None:
    """Publish the new name in a direct conversation. The participant stays: a direct conversation always has two."""
    participant.changed_version = bump_version(participant.conversation, membership=True)
    participant.save(update_fields=["changed_version"])
    save_and_publish(
        participant.conversation,
        {"participants": {"updated": participants_json([participant], participant.conversation)}},
    )


def erase(user: User) -> None:
    """Delete all data of a person except the row to which their messages refer; nobody can sign in as them again."""
    Contact.objects.filter(Q(user=user) | Q(other=user)).delete()
    ContactInvitation.objects.filter(Q(sender=user) | Q(receiver=user)).delete()
    Block.objects.filter(Q(user=user) | Q(blocked=user)).delete()
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    user.sessions.filter(ended_at=None).update(ended_at=timezone.now())
    Session.objects.filter(user=user).update(name="", ip=None)
    user.groups.clear()
    user.user_permissions.clear()
    user.username, user.closed_at, user.is_active = f"closed-{secrets.token_hex(11)}", timezone.now(), False
    user.display_name = user.email = user.about = ""
    user.wallet_address, user.settings, user.last_login = None, {}, None
    user.has_given_name, user.avatar_id = False, replace_avatar(user.avatar_id, None, owner_id=user.pk)
    user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save()
