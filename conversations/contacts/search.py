"""Finding people."""

from uuid import UUID

from django.db.models.expressions import RawSQL

from accounts.models import User
from accounts.people.profiles import PersonJSON, people_json
from chatproject.core.pagination import PAGE_SIZE, Page, read_cursor, write_cursor
from chatproject.core.text import fold
from conversations.access import shares_a_conversation
from conversations.permissions import people_refusing

MIN_SEARCH_LENGTH = 2
MAX_MATCHES = 1000
# Each half scans its own prefix index and stops at a limit, so that two letters cost no more than ten.
SEARCH = """
    WITH found AS MATERIALIZED (
        (SELECT id FROM accounts_user WHERE username LIKE %s ORDER BY username USING ~<~ LIMIT %s)
        UNION
        (SELECT id FROM accounts_user WHERE folded_name LIKE %s ORDER BY folded_name USING ~<~ LIMIT %s)
    )
    SELECT id FROM found
"""
ACTS = ("write", "add")
"""The purposes for which one can search: to write to someone, or to add them to a group."""


def search_people(
    *, by: User, text: str, act: str | None = None, limit: int = PAGE_SIZE, cursor: str | None = None
) -> Page[PersonJSON]:
    """Find other people whose username or display name begins with a text, whatever its case and Unicode form.

    With an `act`, only people to whom `by` may `write`, or whom they may `add` to a group. Without one, people who
    have blocked `by` are included, so that a block does not show. Each kind of name finds at most a thousand people.
    """
    prefix = fold(text).replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    after = read_cursor(cursor, salt="people") if cursor else ""
    named = RawSQL(SEARCH, [prefix, MAX_MATCHES, prefix, MAX_MATCHES])  # noqa: S611
    people = User.objects.filter(pk__in=named, is_active=True, username__gt=after).exclude(pk=by.pk)
    if act:
        people = people.exclude(people_refusing(by, act=act))
    found = list(people.order_by("username")[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    following = write_cursor(shown[-1].username, salt="people") if more else None
    return Page(people_json(shown, viewer=by), next=following, previous=None, has_more=more)


def find_person(*, by: User, id: UUID) -> User:
    """Return a person; User.DoesNotExist for a closed or suspended account with which `by` shares no conversation."""
    user = User.objects.get(pk=id)
    if not user.is_active and not shares_a_conversation(by, user):
        raise User.DoesNotExist
    return user
