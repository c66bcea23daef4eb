"""Whom one can find."""

from uuid import UUID

from django.db.models.expressions import RawSQL

from accounts.models import User
from accounts.people.profiles import PersonJSON, people_json
from chatproject.core.pagination import PAGE_SIZE, Page, read_cursor, write_cursor
from chatproject.core.text import fold
from conversations.access import shares_a_conversation
from conversations.permissions import closed_to

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
    *, by: User, text: str, act: str | None = None, limit: int = PAGE_SIZE, cursor: str | None = None
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
