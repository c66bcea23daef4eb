"""Whom one can find, and who stands in one's lists; each in pages."""

from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

from django.db import models
from django.db.models import Q, QuerySet

from accounts.models import Block, Contact, ContactInvitation, User
from accounts.people.profiles import (
    InvitationJSON,
    PersonJSON,
    contact_json,
    invitation_json,
    stranger_json,
)
from chatproject.core.json_types import TimeText
from chatproject.core.pagination import PAGE_SIZE, Page, read_cursor, write_cursor
from chatproject.core.realtime import timestamp

M = TypeVar("M", bound=models.Model)
J = TypeVar("J")


class KnownJSON(TypedDict):
    """Someone in a list of one's own, and since when."""

    user: PersonJSON
    created_at: TimeText


def list_contacts(*, by: User, limit: int = PAGE_SIZE, cursor: str | None = None) -> Page[KnownJSON]:
    """List someone's contacts by username."""
    contacts = Contact.objects.filter(user=by).select_related("other").order_by("other__username")
    if cursor:
        contacts = contacts.filter(other__username__gt=read_cursor(cursor, salt="contacts"))
    return _page(contacts, limit, lambda last: last.other.username, "contacts", _shown_contact)


def list_blocked(*, by: User, limit: int = PAGE_SIZE, cursor: str | None = None) -> Page[KnownJSON]:
    """List whom someone has blocked, the latest first."""
    blocks = Block.objects.filter(user=by).select_related("blocked").order_by("-pk")
    if cursor:
        blocks = blocks.filter(pk__lt=read_cursor(cursor, salt="blocks"))
    return _page(blocks, limit, lambda last: last.pk, "blocks", _shown_block)


def list_invitations(*, by: User, limit: int = PAGE_SIZE, cursor: str | None = None) -> Page[InvitationJSON]:
    """List the open invitations that someone has sent and received, the latest first."""
    reached = Q(sender=by) | Q(receiver=by, hidden=False)
    invitations = ContactInvitation.objects.filter(reached, answered_at=None).order_by("-pk")
    if cursor:
        invitations = invitations.filter(pk__lt=read_cursor(cursor, salt="invitations"))
    some = invitations.select_related("sender", "receiver")
    return _page(some, limit, lambda last: str(last.pk), "invitations", invitation_json)


def _page(rows: QuerySet[M], limit: int, place: Callable[[M], Any], salt: str, show: Callable[[M], J]) -> Page[J]:
    found = list(rows[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    following = write_cursor(place(shown[-1]), salt=salt) if more else None
    return Page([show(row) for row in shown], next=following, previous=None, has_more=more)


def _shown_contact(contact: Contact) -> KnownJSON:
    return {"user": contact_json(contact.other), "created_at": timestamp(contact.created_at)}


def _shown_block(block: Block) -> KnownJSON:
    return {"user": stranger_json(block.blocked), "created_at": timestamp(block.created_at)}
