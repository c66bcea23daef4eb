"""Who may write to whom and add whom, and how the direct conversations are kept in step with it.

The service account may write to everyone, and nobody to it: what the place has to tell someone always arrives. Other
rights hang on blocks, contacts and settings, which change without any conversation being touched; the append reads
`Participant.barred` alone. So every command that changes one of the former settles the latter in the same transaction.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import SERVICE_ID, Block, Contact, User
from accounts.people.locks import LOCK_TRIES, lock_people, person_in
from accounts.people.user_settings import CONTACTS
from chatproject.core.errors import Blocked, Unavailable
from conversations.models import Conversation, direct_key

T = TypeVar("T")

# Whoever has no right may lose it at the very moment of a send: the append compares epochs, so they change with rights.
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
    """Bring the rights in some direct conversations, which the caller has locked, in step with what they hang on."""
    with connection.cursor() as cursor:
        ids = [each.pk for each in conversations]
        cursor.execute(REFRESH, {"conversations": ids, "contacts": CONTACTS, "service": SERVICE_ID})


def closed_to(by: User, *, act: str) -> Q:
    """The people to whom a person may not `write`, or whom they may not `add` to a group: who may not write may not."""
    # Whoever has chosen nothing is open to everyone: a comparison with what is not there would be unknown, not false.
    for_contacts = Q(settings__contains={"write": CONTACTS})
    if act == "add":
        for_contacts |= Q(settings__contains={"add": CONTACTS})
    blocks = Block.objects.filter(Q(user=by, blocked=OuterRef("pk")) | Q(user=OuterRef("pk"), blocked=by))
    knows = Contact.objects.filter(user=OuterRef("pk"), other=by)
    return Q(Exists(blocks)) | Q(pk=SERVICE_ID) | for_contacts & ~Q(Exists(knows))


def require_may_add(*, by: User, users: Collection[User], pointer: str = "/participants") -> None:
    """Blocked if someone of these may not be put into a group by a person; an invitation link is the way then."""
    asked = User.objects.filter(pk__in=[user.pk for user in users if user.pk != by.pk])
    if names := sorted(user.name for user in asked.filter(closed_to(by, act="add"))):
        raise Blocked(f"You can't add {', '.join(names)}. An invitation link is the way.", pointer=pointer)


@dataclass(frozen=True, slots=True)
class Locked:
    """What a command has locked."""

    conversations: Sequence[Conversation]
    people: Sequence[User]

    def person(self, id: UUID) -> User:
        """Give one of the people; User.DoesNotExist if the account has been closed."""
        return person_in(self.people, id)


def with_locks(
    act: Callable[[Locked], T],
    *,
    people: Callable[[], Collection[UUID]],
    conversations: QuerySet[Conversation] | None = None,
) -> T:
    """Do something in one transaction that holds conversations and then people locked, both in the order of ids.

    Every command locks in that order. A conversation may begin, or a person come in, before the last lock is there:
    then all is let go and begun again. Once the people are held, none can begin with them.
    """
    some = Conversation.objects.none() if conversations is None else conversations
    for _ in range(LOCK_TRIES):
        with transaction.atomic():
            wanted = set(people())
            found = list(some.order_by("pk").select_for_update(no_key=True, of=("self",)))
            locked = Locked(found, lock_people(wanted))
            if {each.pk for each in found} >= set(some.values_list("pk", flat=True)) and wanted >= set(people()):
                return act(locked)
            transaction.set_rollback(True)
    raise Unavailable("Too much is changing at this moment. Please try again.")


def with_pair_locked(by_id: UUID, other_id: UUID, act: Callable[[Locked], T]) -> T:
    """Call `act` in one transaction that holds two people and their direct conversation locked."""
    return with_locks(act, people=lambda: {by_id, other_id}, conversations=direct_between(by_id, other_id))


def direct_between(one_id: UUID, other_id: UUID) -> QuerySet[Conversation]:
    """The direct conversation of two people, if there is one."""
    return Conversation.objects.filter(direct_key=direct_key(one_id, other_id))


def directs_of(user_id: UUID) -> QuerySet[Conversation]:
    """All direct conversations of a person."""
    return Conversation.objects.filter(kind=Conversation.Kind.DIRECT, participants__user=user_id)
