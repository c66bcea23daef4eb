"""Whom one can find, and who stands in one's lists; each in pages."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q, QuerySet

from accounts.models import Block, Contact, ContactInvitation, User
from accounts.profiles import contact_json, invitation_json, people_json, user_json
from accounts.realtime import timestamp
from chatproject.pages import LIMIT, Page, read_cursor, write_cursor

M = TypeVar("M", bound=models.Model)

SEARCH_LEAST = 2
# Each half reads its own index of prefixes. `lower` of the database is applied to both sides, so that they agree.
SEARCH = """
WITH found AS MATERIALIZED (
    SELECT id FROM accounts_user WHERE username LIKE %(folded)s
    UNION
    SELECT id FROM accounts_user WHERE lower(display_name) LIKE lower(%(written)s)
)
SELECT u.* FROM found JOIN accounts_user u ON u.id = found.id
WHERE u.is_active AND u.id <> %(viewer)s AND u.username > %(after)s ORDER BY u.username LIMIT %(limit)s
"""


def search_people(*, by: User, text: str, limit: int = LIMIT, cursor: str | None = None) -> Page[dict[str, Any]]:
    """Find people whose username or display name begins with a text, whatever the case; oneself is not among them.

    Who has blocked the searcher is found like anyone else.
    """
    prefix = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    after = read_cursor(cursor, salt="people") if cursor else ""
    values = {"folded": prefix.lower(), "written": prefix, "viewer": by.pk, "after": after, "limit": limit + 1}
    found = list(User.objects.raw(SEARCH, values))
    shown, more = found[:limit], len(found) > limit
    following = write_cursor(shown[-1].username, salt="people") if more else None
    return Page(people_json(shown, viewer=by), next=following, previous=None, has_more=more)


def list_contacts(*, by: User, limit: int = LIMIT, cursor: str | None = None) -> Page[dict[str, Any]]:
    """List someone's contacts by username."""
    contacts = Contact.objects.filter(user=by).select_related("other").order_by("other__username")
    if cursor:
        contacts = contacts.filter(other__username__gt=read_cursor(cursor, salt="contacts"))
    return _page(contacts, limit, lambda last: last.other.username, "contacts", _shown_contact)


def list_blocked(*, by: User, limit: int = LIMIT, cursor: str | None = None) -> Page[dict[str, Any]]:
    """List whom someone has blocked, the latest first."""
    blocks = Block.objects.filter(user=by).select_related("blocked").order_by("-pk")
    if cursor:
        blocks = blocks.filter(pk__lt=read_cursor(cursor, salt="blocks"))
    return _page(blocks, limit, lambda last: last.pk, "blocks", _shown_block)


def list_invitations(*, by: User, limit: int = LIMIT, cursor: str | None = None) -> Page[dict[str, Any]]:
    """List the open invitations that someone has sent and received, the latest first."""
    reached = Q(sender=by) | Q(receiver=by, hidden=False)
    invitations = ContactInvitation.objects.filter(reached, answered_at=None).order_by("-pk")
    if cursor:
        invitations = invitations.filter(pk__lt=read_cursor(cursor, salt="invitations"))
    some = invitations.select_related("sender", "receiver")
    return _page(some, limit, lambda last: str(last.pk), "invitations", invitation_json)


def _page(
    rows: QuerySet[M], limit: int, place: Callable[[M], Any], salt: str, show: Callable[[M], dict[str, Any]]
) -> Page[dict[str, Any]]:
    found = list(rows[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    following = write_cursor(place(shown[-1]), salt=salt) if more else None
    return Page([show(row) for row in shown], next=following, previous=None, has_more=more)


def _shown_contact(contact: Contact) -> dict[str, Any]:
    return {"user": contact_json(contact.other), "created_at": timestamp(contact.created_at)}


def _shown_block(block: Block) -> dict[str, Any]:
    return {"user": user_json(block.blocked), "created_at": timestamp(block.created_at)}
