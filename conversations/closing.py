"""The end of an account: the person goes, what they said stays."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from accounts.models import User
from accounts.people import circle, erase
from accounts.realtime import announce_change
from conversations.access import present
from conversations.models import Conversation, Participant
from conversations.rights import Held, holding, settle
from messaging.models import Message


def close_account(*, by: User) -> None:
    """Close a person's account for good.

    Sessions and sockets end, groups get a successor as owner, and one that nobody is left in goes with its messages.
    What the person said elsewhere stays, under "Deleted account"; the username is free again.
    """
    holding(
        lambda held: _close(held, held.person(by.pk)),
        people=lambda: circle(by.pk),
        conversations=Conversation.objects.filter(participants__user=by, participants__left_at=None),
    )


def _close(held: Held, user: User) -> None:
    groups = [each for each in held.conversations if each.kind == Conversation.Kind.GROUP]
    heirs = _heirs(user, groups)
    for group in groups:
        if group.owner_id == user.pk and group.pk in heirs:
            _hand_over(group, heirs[group.pk])
    _delete([group for group in groups if group.pk not in heirs])
    _leave(user, [group for group in groups if group.pk in heirs])
    erase(user)
    _bump(held.conversations)
    settle(held.conversations)
    announce_change(people=[each.pk for each in held.people])


def _heirs(user: User, groups: Sequence[Conversation]) -> dict[UUID, Participant]:
    """Find who would own each group next: its longest-standing admin, else its longest-standing member."""
    others = Participant.objects.filter(conversation__in=groups, left_at=None).exclude(user=user)
    # Someone who can't sign in comes last. An admin sorts before a member.
    ranked = others.order_by("conversation_id", "-user__is_active", "role", "joined_at", "pk")
    return {place.conversation_id: place for place in ranked.distinct("conversation_id")}


def _hand_over(group: Conversation, heir: Participant) -> None:
    group.owner_id = heir.user_id
    group.save(update_fields=["owner"])
    heir.role = Participant.Role.ADMIN
    heir.save(update_fields=["role"])


def _leave(user: User, groups: Sequence[Conversation]) -> None:
    """Take a person out at the next version. A place in a direct conversation stays: it is always one of two."""
    version = Subquery(Conversation.objects.filter(pk=OuterRef("conversation_id")).values("version"))
    places = present(user).filter(conversation__in=groups)
    places.update(left_at=timezone.now(), left_version=version + 1)


def _bump(conversations: Sequence[Conversation]) -> None:
    some = Conversation.objects.filter(pk__in=[each.pk for each in conversations])
    some.update(version=F("version") + 1, epoch=F("epoch") + 1)


def _delete(groups: Sequence[Conversation]) -> None:
    """Remove groups and all that was said in them; messages carry no key that would take them along."""
    ids = [group.pk for group in groups]
    if ids:
        Message.objects.filter(conversation__in=ids).delete()
        Conversation.objects.filter(pk__in=ids).delete()
