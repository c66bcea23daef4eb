"""Invitation links: whoever has one comes into the group, but for people whom an admin has removed from it.

A token has 128 bits of chance and is shown once, when the link is made; only its SHA-256 is stored.
"""

import hashlib
import secrets
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.people.locks import lock_people
from chatproject.core import rate_limits
from chatproject.core.errors import Conflict, Gone, Invalid, NotAllowed
from chatproject.core.json_types import Count, IdText, TimeText, UrlText
from chatproject.core.rate_limits import quotas
from chatproject.core.realtime import timestamp
from conversations.access import members_of
from conversations.membership import Rank, add_participants, group_participant, lock_group
from conversations.models import Conversation, InviteLink, Participant

TOKEN_BYTES = 16
USES_MOST = 100_000
LINKS_MOST = 100
"""How many links of one group may lead in at a time."""


class LinkJSON(TypedDict):
    """A link that leads into a group; `token` and `url` are shown only when it is made."""

    id: IdText
    token: str | None
    url: UrlText | None
    expires_at: TimeText | None
    max_uses: Count | None
    uses: Count
    created_at: TimeText


def make_link(
    *, by: User, conversation_id: UUID, expires_at: datetime | None = None, max_uses: int | None = None
) -> tuple[InviteLink, str]:
    """Make a way into a group, and give its token with it; admins may.

    Invalid for a time that is over or a number of uses out of 1 to 100,000; Conflict if there are too many links,
    RateLimited after too many in a day.
    """
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("A link ends in the future.", pointer="/expires_at")
    if max_uses is not None and not 1 <= max_uses <= USES_MOST:
        raise Invalid(f"A link can be used 1 to {USES_MOST} times.", pointer="/max_uses")
    with rate_limits.charged(by.pk, (quotas.INVITE_LINKS, 1)):
        return _make_link(by, conversation_id, expires_at, max_uses)


@transaction.atomic
def _make_link(
    by: User, conversation_id: UUID, expires_at: datetime | None, max_uses: int | None
) -> tuple[InviteLink, str]:
    group = lock_group(by=by, conversation_id=conversation_id, least=Rank.ADMIN).conversation
    if _open(group).count() >= LINKS_MOST:
        raise Conflict(f"A group has at most {LINKS_MOST} links at a time. Revoke one first.")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = InviteLink.objects.create(
        conversation=group, token_hash=_digest(token), created_by=by, expires_at=expires_at, max_uses=max_uses
    )
    return link, token


def links_of(*, by: User, conversation_id: UUID) -> list[InviteLink]:
    """List the links that lead into a group, the latest first; admins may."""
    group = group_participant(by=by, conversation_id=conversation_id, least=Rank.ADMIN).conversation
    return list(_open(group).order_by("-pk"))


@transaction.atomic
def revoke_link(*, by: User, conversation_id: UUID, link_id: UUID) -> None:
    """Let a link lead nowhere from now on; admins may. Doing it again changes nothing."""
    group = lock_group(by=by, conversation_id=conversation_id, least=Rank.ADMIN).conversation
    link = InviteLink.objects.get(pk=link_id, conversation=group)
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])


def find_link(token: str, *, by: User | None = None) -> InviteLink:
    """Find where a token leads; InviteLink.DoesNotExist if nowhere, Gone if no longer, but for those who are in.

    NotAllowed for someone whom an admin has removed from the group.
    """
    link = _link(token)
    if by is None or not members_of(link.conversation).filter(user=by).exists():
        _require_open(link)
        _require_welcome(link.conversation, by)
    return link


def accept_link(*, by: User, token: str) -> Conversation:
    """Come into a group by its link. Who is in already stays as they are, and uses nothing up.

    InviteLink.DoesNotExist for an unknown token, Gone for one that leads nowhere any more, NotAllowed for someone whom
    an admin has removed, Conflict for a full group.
    Whoever comes in counts as added by themselves: RateLimited after too many in a day.
    """
    group = _link(token).conversation
    if members_of(group).filter(user=by).exists():
        return group
    with rate_limits.charged(by.pk, (quotas.group_additions(settings.GROUP_MEMBERS), 1)):
        return _accept_link(by, token)


@transaction.atomic
def _accept_link(by: User, token: str) -> Conversation:
    group = Conversation.objects.select_for_update(no_key=True).get(pk=_link(token).conversation_id)
    # Under the lock of its group nobody else uses it or revokes it.
    link = InviteLink.objects.select_for_update(no_key=True).get(token_hash=_digest(token))
    if members_of(group).filter(user=by).exists():
        return group
    _require_open(link)
    _require_welcome(group, by)
    if members_of(group).count() >= settings.GROUP_MEMBERS:
        raise Conflict("This group is full.")
    newcomers = lock_people([by.pk])
    if not newcomers:
        raise User.DoesNotExist
    link.uses += 1
    link.save(update_fields=["uses"])
    add_participants(group, newcomers, by=by)
    return group


def link_json(link: InviteLink, token: str | None = None) -> LinkJSON:
    """Show a link to an admin, with its token if it has just been made."""
    return {
        "id": str(link.pk),
        "token": token,
        "url": f"{settings.SITE_URL}/join/{token}" if token else None,
        "expires_at": timestamp(link.expires_at) if link.expires_at else None,
        "max_uses": link.max_uses,
        "uses": link.uses,
        "created_at": timestamp(link.created_at),
    }


def _link(token: str) -> InviteLink:
    return InviteLink.objects.select_related("conversation").get(token_hash=_digest(token))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _open(group: Conversation) -> QuerySet[InviteLink]:
    """The links of a group that are neither revoked, expired nor spent."""
    in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    unspent = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
    return InviteLink.objects.filter(in_time & unspent, conversation=group, revoked_at=None)


def _require_open(link: InviteLink) -> None:
    if not _open(link.conversation).filter(pk=link.pk).exists():
        raise Gone("This invitation is not valid any more. Ask for a new one.")


def _require_welcome(group: Conversation, by: User | None) -> None:
    """NotAllowed for someone whom an admin has removed, until an admin adds them."""
    if by is not None and Participant.objects.filter(conversation=group, user=by, was_removed=True).exists():
        raise NotAllowed("You were removed from this group. Only an admin can add you again.")
