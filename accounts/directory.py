"""Whom one can find, and who stands in one's lists; each in pages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import Block, Contact, ContactInvitation, Session, User
from accounts.people import are_contacts, has_blocked, open_invitations
from accounts.profiles import InvitationJSON, PersonJSON, contact_json, invitation_json, people_json, stranger_json
from accounts.realtime import timestamp
from chatproject.names import fold
from chatproject.pages import LIMIT, Page, read_cursor, write_cursor
from chatproject.shapes import TimeText
from conversations.access import shares_a_conversation
from conversations.rights import closed_to

M = TypeVar("M", bound=models.Model)
J = TypeVar("J")


class KnownJSON(TypedDict):
    """Someone in a list of one's own, and since when."""

    user: PersonJSON
    created_at: TimeText


SEARCH_LEAST = 2
SEARCH_MOST = 1000
# Each half walks along its own index of prefixes and stops after so many, so that two letters cost no more than ten.
SEARCH = """
    WITH found AS MATERIALIZED (
        (SELECT id FROM accounts_user WHERE username LIKE %s ORDER BY username USING ~<~ LIMIT %s)
        UNION
        (SELECT id FROM accounts_user WHERE folded_name LIKE %s ORDER BY folded_name USING ~<~ LIMIT %s)
    )
    SELECT id FROM found
"""
ACTS = ("write", "add")
"""What one may look for people for."""


def search_people(
    *, by: User, text: str, act: str | None = None, limit: int = LIMIT, cursor: str | None = None
) -> Page[PersonJSON]:
    """Find people whose username or display name begins with a text, whatever its case and Unicode form; not oneself.

    With an `act`, only those to whom one may `write`, or whom one may `add` to a group. Without, who has blocked the
    searcher is found like anyone else. Of very many, the first thousand of either kind are found.
    """
    prefix = fold(text).replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    after = read_cursor(cursor, salt="people") if cursor else ""
    named = RawSQL(SEARCH, [prefix, SEARCH_MOST, prefix, SEARCH_MOST])  # noqa: S611
    people = User.objects.filter(pk__in=named, is_active=True, username__gt=after).exclude(pk=by.pk)
    if act:
        people = people.exclude(closed_to(by, act=act))
    found = list(people.order_by("username")[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    following = write_cursor(shown[-1].username, salt="people") if more else None
    return Page(people_json(shown, viewer=by), next=following, previous=None, has_more=more)


def find_person(*, by: User, id: UUID) -> User:
    """Find someone; User.DoesNotExist for a closed account, except for those who have talked with it."""
    user = User.objects.get(pk=id)
    if not user.is_active and not shares_a_conversation(by, user):
        raise User.DoesNotExist
    return user


@dataclass(frozen=True, slots=True)
class Relation:
    """What someone is to a person: what stands in that person's own lists, and no more."""

    is_me: bool
    is_contact: bool
    is_blocked: bool
    is_invited: bool
    invitation: UUID | None
    """The invitation that waits for the person's answer."""


def relation(*, by: User, other: User) -> Relation:
    """Tell what someone is to a person."""
    received = open_invitations(sender=other.pk, receiver=by.pk).filter(hidden=False)
    return Relation(
        is_me=by.pk == other.pk,
        is_contact=are_contacts(by.pk, other.pk),
        is_blocked=has_blocked(by.pk, other.pk),
        is_invited=open_invitations(sender=by.pk, receiver=other.pk).exists(),
        invitation=received.values_list("pk", flat=True).first(),
    )


def live_sessions(user: User) -> QuerySet[Session]:
    """Where someone is signed in, the latest used first."""
    return user.sessions.filter(ended_at=None).order_by("-last_seen_at", "-pk")


def list_contacts(*, by: User, limit: int = LIMIT, cursor: str | None = None) -> Page[KnownJSON]:
    """List someone's contacts by username."""
    contacts = Contact.objects.filter(user=by).select_related("other").order_by("other__username")
    if cursor:
        contacts = contacts.filter(other__username__gt=read_cursor(cursor, salt="contacts"))
    return _page(contacts, limit, lambda last: last.other.username, "contacts", _shown_contact)


def list_blocked(*, by: User, limit: int = LIMIT, cursor: str | None = None) -> Page[KnownJSON]:
    """List whom someone has blocked, the latest first."""
    blocks = Block.objects.filter(user=by).select_related("blocked").order_by("-pk")
    if cursor:
        blocks = blocks.filter(pk__lt=read_cursor(cursor, salt="blocks"))
    return _page(blocks, limit, lambda last: last.pk, "blocks", _shown_block)


def list_invitations(*, by: User, limit: int = LIMIT, cursor: str | None = None) -> Page[InvitationJSON]:
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
