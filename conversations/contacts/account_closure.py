"""The end of an account: the person goes, what they said stays."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Q
from django.utils import timezone

from accounts.changes import publish_user_change
from accounts.models import Block, Contact, ContactInvitation, Session, User
from accounts.people.relations import people_listing
from conversations.access import memberships_of
from conversations.events import participants_json
from conversations.membership import dissolve, remove_participant, transfer_ownership
from conversations.models import Conversation, Participant
from conversations.notices import Notice
from conversations.permissions import Locked, refresh_permissions, with_locks
from conversations.versions import bump_version, save_and_publish
from messaging.media.avatars import replace_avatar


def close_account(*, by: User) -> None:
    """Close a person's account for good.

    Sessions and sockets end, groups get a successor as owner, and one that nobody is left in goes with its messages.
    What the person said elsewhere stays, under "Deleted account"; the username is free again.
    """
    with_locks(
        lambda held: _close(held, held.person(by.pk)),
        people=lambda: people_listing(by.pk),
        conversations=Conversation.objects.filter(participants__user=by, participants__left_at=None),
    )


def _close(held: Locked, user: User) -> None:
    # First of all, so that nobody hears the name again.
    erase(user)
    Participant.objects.filter(user=user).update(draft=None)
    places = _places(user, held.conversations)
    heirs = _heirs(user, held.conversations)
    for place in places:
        if place.conversation.kind == Conversation.Kind.DIRECT:
            _tell_the_other(place)
        else:
            _leave(place, heirs.get(place.conversation_id))
    refresh_permissions(held.conversations)
    publish_user_change(people=[each.pk for each in held.people], contacts=True)


def _places(user: User, conversations: Sequence[Conversation]) -> list[Participant]:
    """The person's places in the conversations that are held, each with what is held."""
    held = {conversation.pk: conversation for conversation in conversations}
    places = list(memberships_of(user).filter(conversation__in=held).order_by("conversation"))
    for place in places:
        place.conversation, place.user = held[place.conversation_id], user
    return places


def _heirs(user: User, conversations: Sequence[Conversation]) -> dict[UUID, Participant]:
    """Find who would own each group next: its longest-standing admin, else its longest-standing member."""
    groups = [each for each in conversations if each.kind == Conversation.Kind.GROUP]
    others = Participant.objects.filter(conversation__in=groups, left_at=None).exclude(user=user)
    # Someone who can't sign in comes last. An admin sorts before a member.
    ranked = others.order_by("conversation_id", "-user__is_active", "role", "joined_at", "pk")
    heirs = ranked.distinct("conversation_id").select_related("user")
    return {place.conversation_id: place for place in heirs}


def _leave(place: Participant, heir: Participant | None) -> None:
    """Take the person out of a group, which goes to the heir if it was theirs, and goes with them if there is none."""
    if heir is None:
        return dissolve(place.conversation)
    if place.conversation.owner_id == place.user_id:
        transfer_ownership(place, heir)
    return remove_participant(place, by=place.user, what=Notice.LEFT)


def _tell_the_other(place: Participant) -> None:
    """Tell the other one of two under which name the person stands from now on. Their place stays: it is one of two."""
    place.changed_version = bump_version(place.conversation, membership=True)
    place.save(update_fields=["changed_version"])
    save_and_publish(place.conversation, {"participants": {"updated": participants_json([place], place.conversation)}})


def erase(user: User) -> None:
    """Leave nothing of a person but the row that their messages hang on; nobody signs in as them again."""
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
