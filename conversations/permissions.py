"""Who may write to whom and who may add whom, and how direct conversations are updated when that changes.

The service account may write to everyone, so that service messages always arrive, and nobody may write to it. All other
permissions depend on blocks, contacts and settings, but the append reads only `Participant.barred`. So every command
that changes a block, contact or setting calls `refresh_permissions` in the same transaction.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import SERVICE_ID, Block, Contact, User
from accounts.people.locks import TooFewLocked, lock_all_people, person_in, until_all_are_locked
from accounts.people.user_settings import CONTACTS
from chatproject.core.errors import Blocked
from conversations.models import Conversation, direct_key

T = TypeVar("T")

# A permission can be lost while a message is sent. The append compares epochs, so the epoch changes with `barred`.
REFRESH = """
WITH judged AS (
    SELECT mine.id, mine.conversation_id, mine.user_id <> %(service)s AND (
        other.id = %(service)s
        OR other.closed_at IS NOT NULL
        OR EXISTS (
            SELECT 1 FROM accounts_block b
            WHERE b.user_id = mine.user_id AND b.blocked_id = other.id
                OR b.user_id = other.id AND b.blocked_id = mine.user_id
        )
        OR other.settings ->> 'write' IS NOT DISTINCT FROM %(contacts)s AND NOT EXISTS (
            SELECT 1 FROM accounts_contact k WHERE k.user_id = other.id AND k.other_id = mine.user_id
        )
    ) AS barred
    FROM conversations_conversation c
    JOIN conversations_participant mine ON mine.conversation_id = c.id
    JOIN conversations_participant theirs ON theirs.conversation_id = c.id AND theirs.user_id <> mine.user_id
    JOIN accounts_user other ON other.id = theirs.user_id
    WHERE c.id = ANY(%(conversations)s) AND c.kind = 'direct'
), changed AS (
    UPDATE conversations_participant p SET barred = j.barred FROM judged j
    WHERE p.id = j.id AND p.barred <> j.barred RETURNING p.conversation_id
)
UPDATE conversations_conversation SET epoch = epoch + 1 WHERE id IN (SELECT conversation_id FROM changed)
"""


def refresh_permissions(conversations: Sequence[Conversation]) -> None:
    """Compute `barred` again in the direct ones of these conversations, which the caller has locked."""
    with connection.cursor() as cursor:
        ids = [each.pk for each in conversations]
        cursor.execute(REFRESH, {"conversations": ids, "contacts": CONTACTS, "service": SERVICE_ID})


def people_refusing(by: User, *, act: str) -> Q:
    """Match the people to whom `by` may not `write`, or whom `by` may not `add`: adding requires that one may write."""
    # Without the setting everyone may. A comparison with a missing JSON key would be NULL, not false: use containment.
    for_contacts = Q(settings__contains={"write": CONTACTS})
    if act == "add":
        for_contacts |= Q(settings__contains={"add": CONTACTS})
    blocks = Block.objects.filter(Q(user=by, blocked=OuterRef("pk")) | Q(user=OuterRef("pk"), blocked=by))
    knows = Contact.objects.filter(user=OuterRef("pk"), other=by)
    return Q(Exists(blocks)) | Q(pk=SERVICE_ID) | for_contacts & ~Q(Exists(knows))


def require_may_add(*, by: User, users: Collection[User], pointer: str = "/participants") -> None:
    """Raise Blocked if `by` may not add one of these people to a group; an invitation link can be sent instead."""
    asked = User.objects.filter(pk__in=[user.pk for user in users if user.pk != by.pk])
    if names := sorted(user.name for user in asked.filter(people_refusing(by, act="add"))):
        raise Blocked(f"You can't add {', '.join(names)}. Send an invitation link instead.", pointer=pointer)


@dataclass(frozen=True, slots=True)
class Locked:
    """The rows that a command has locked."""

    conversations: Sequence[Conversation]
    people: Sequence[User]

    def person(self, id: UUID) -> User:
        """Return one of the people; User.DoesNotExist if the account has been closed."""
        return person_in(self.people, id)


def with_locks(
    act: Callable[[Locked], T],
    *,
    people: Callable[[], Collection[UUID]],
    conversations: QuerySet[Conversation] | None = None,
) -> T:
    """Call `act` in one transaction that has locked the conversations, then the people, both in the order of ids.

    Every command locks in this order, so that they cannot deadlock. A new conversation or person may match before the
    last lock is acquired: then the transaction is rolled back and retried. Once the people are locked, nobody can start
    a conversation with them.
    """
    some = Conversation.objects.none() if conversations is None else conversations

    def attempt() -> T:
        found = list(some.order_by("pk").select_for_update(no_key=True, of=("self",)))
        locked = Locked(found, lock_all_people(people))
        if not {each.pk for each in found} >= set(some.values_list("pk", flat=True)):
            raise TooFewLocked
        return act(locked)

    return until_all_are_locked(attempt)


def with_pair_locked(by_id: UUID, other_id: UUID, act: Callable[[Locked], T]) -> T:
    """Call `act` in one transaction that has locked two people and their direct conversation."""
    return with_locks(act, people=lambda: {by_id, other_id}, conversations=direct_between(by_id, other_id))


def direct_between(one_id: UUID, other_id: UUID) -> QuerySet[Conversation]:
    """The direct conversation of two people, if there is one."""
    return Conversation.objects.filter(direct_key=direct_key(one_id, other_id))


def directs_of(user_id: UUID) -> QuerySet[Conversation]:
    """All direct conversations of a person."""
    return Conversation.objects.filter(kind=Conversation.Kind.DIRECT, participants__user=user_id)
