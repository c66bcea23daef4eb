"""Invitation links: anyone who has one can join the group, except people whom an admin has removed from it.

A token has 128 random bits and is shown once, when the link is created; only its SHA-256 is stored.
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
MAX_USES = 100_000
MAX_LINKS = 100
"""How many active links a group may have."""


class LinkJSON(TypedDict):
    """An invitation link of a group; `token` and `url` are shown only when it is created."""

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
    """Create an invitation link and return it with its token; for admins.

    Invalid if the time is in the past or the number of uses is not between 1 and 100,000; Conflict if the group has
    too many active links, RateLimited after too many in a day.
    """
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("The end of a link must be in the future.", pointer="/expires_at")
    if max_uses is not None and not 1 <= max_uses <= MAX_USES:
        raise Invalid(f"A link can be used 1 to {MAX_USES} times.", pointer="/max_uses")
    with rate_limits.charged(by.pk, (quotas.INVITE_LINKS, 1)):
        return _make_link(by, conversation_id, expires_at, max_uses)


@transaction.atomic
def _make_link(
    by: User, conversation_id: UUID, expires_at: datetime | None, max_uses: int | None
) -> tuple[InviteLink, str]:
    group = lock_group(by=by, conversation_id=conversation_id, least=Rank.ADMIN).conversation
    if _active_links(group).count() >= MAX_LINKS:
        raise Conflict(f"A group has at most {MAX_LINKS} links at a time. Revoke one first.")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = InviteLink.objects.create(
        conversation=group, token_hash=_hash_token(token), created_by=by, expires_at=expires_at, max_uses=max_uses
    )
    return link, token


def links_of(*, by: User, conversation_id: UUID) -> list[InviteLink]:
    """List the active links of a group, the latest first; for admins."""
    group = group_participant(by=by, conversation_id=conversation_id, least=Rank.ADMIN).conversation
    return list(_active_links(group).order_by("-pk"))


@transaction.atomic
def revoke_link(*, by: User, conversation_id: UUID, link_id: UUID) -> None:
    """Revoke a link, so that nobody can join by it; for admins. Revoking it again changes nothing."""
    group = lock_group(by=by, conversation_id=conversation_id, least=Rank.ADMIN).conversation
    link = InviteLink.objects.get(pk=link_id, conversation=group)
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])


def find_link(token: str, *, by: User | None = None) -> InviteLink:
    """Return the link of a token; InviteLink.DoesNotExist for an unknown token.

    Gone if the link is no longer active, except for members of the group. NotAllowed for someone whom an admin has
    removed from the group.
    """
    link = _link_of(token)
    if by is None or not members_of(link.conversation).filter(user=by).exists():
        _require_active(link)
        _require_not_removed(link.conversation, by)
    return link


def accept_link(*, by: User, token: str) -> Conversation:
    """Join a group by its link. For a member nothing changes, and no use of the link is counted.

    InviteLink.DoesNotExist for an unknown token, Gone if the link is no longer active, NotAllowed for someone whom an
    admin has removed, Conflict for a full group.
    Joining counts as an addition made by the person who joins: RateLimited after too many in a day.
    """
    group = _link_of(token).conversation
    if members_of(group).filter(user=by).exists():
        return group
    with rate_limits.charged(by.pk, (quotas.group_additions(settings.GROUP_MEMBERS), 1)):
        return _accept_link(by, token)


@transaction.atomic
def _accept_link(by: User, token: str) -> Conversation:
    group = Conversation.objects.select_for_update(no_key=True).get(pk=_link_of(token).conversation_id)
    # The group is locked, so nobody else can use or revoke the link at the same time.
    link = InviteLink.objects.select_for_update(no_key=True).get(token_hash=_hash_token(token))
    if members_of(group).filter(user=by).exists():
        return group
    _require_active(link)
    _require_not_removed(group, by)
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
    """Describe a link to an admin, with its token if it has just been created."""
    return {
        "id": str(link.pk),
        "token": token,
        "url": f"{settings.SITE_URL}/join/{token}" if token else None,
        "expires_at": timestamp(link.expires_at) if link.expires_at else None,
        "max_uses": link.max_uses,
        "uses": link.uses,
        "created_at": timestamp(link.created_at),
    }


def _link_of(token: str) -> InviteLink:
    return InviteLink.objects.select_related("conversation").get(token_hash=_hash_token(token))


def _hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _active_links(group: Conversation) -> QuerySet[InviteLink]:
    """The active links of a group: not revoked, not expired, and with uses left."""
    in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    has_uses_left = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
    return InviteLink.objects.filter(in_time & has_uses_left, conversation=group, revoked_at=None)


def _require_active(link: InviteLink) -> None:
    if not _active_links(link.conversation).filter(pk=link.pk).exists():
        raise Gone("This invitation is no longer valid. Ask for a new one.")


def _require_not_removed(group: Conversation, by: User | None) -> None:
    """Raise NotAllowed for someone whom an admin has removed, until an admin adds them again."""
    if by is not None and Participant.objects.filter(conversation=group, user=by, was_removed=True).exists():
        raise NotAllowed("You were removed from this group. Only an admin can add you again.")
