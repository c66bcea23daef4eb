"""A person's lists of contacts, blocked people and invitations, in pages."""

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
    """A person in the contacts or blocked people of someone, and since when."""

    user: PersonJSON
    created_at: TimeText


def list_contacts(*, by: User, limit: int = PAGE_SIZE, cursor: str | None = None) -> Page[KnownJSON]:
    """List someone's contacts by username."""
    contacts = Contact.objects.filter(user=by).select_related("other").order_by("other__username")
    if cursor:
        contacts = contacts.filter(other__username__gt=read_cursor(cursor, salt="contacts"))
    return _page(contacts, limit, lambda last: last.other.username, "contacts", _contact_json)


def list_blocked(*, by: User, limit: int = PAGE_SIZE, cursor: str | None = None) -> Page[KnownJSON]:
    """List the people whom someone has blocked, the latest first."""
    blocks = Block.objects.filter(user=by).select_related("blocked").order_by("-pk")
    if cursor:
        blocks = blocks.filter(pk__lt=read_cursor(cursor, salt="blocks"))
    return _page(blocks, limit, lambda last: last.pk, "blocks", _block_json)


def list_invitations(*, by: User, limit: int = PAGE_SIZE, cursor: str | None = None) -> Page[InvitationJSON]:
    """List the open invitations that someone has sent and received, the latest first."""
    visible = Q(sender=by) | Q(receiver=by, hidden=False)
    invitations = ContactInvitation.objects.filter(visible, answered_at=None).order_by("-pk")
    if cursor:
        invitations = invitations.filter(pk__lt=read_cursor(cursor, salt="invitations"))
    some = invitations.select_related("sender", "receiver")
    return _page(some, limit, lambda last: str(last.pk), "invitations", invitation_json)


def _page(rows: QuerySet[M], limit: int, position_of: Callable[[M], Any], salt: str, show: Callable[[M], J]) -> Page[J]:
    found = list(rows[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    next_cursor = write_cursor(position_of(shown[-1]), salt=salt) if more else None
    return Page([show(row) for row in shown], next=next_cursor, previous=None, has_more=more)


def _contact_json(contact: Contact) -> KnownJSON:
    return {"user": contact_json(contact.other), "created_at": timestamp(contact.created_at)}


def _block_json(block: Block) -> KnownJSON:
    return {"user": stranger_json(block.blocked), "created_at": timestamp(block.created_at)}
