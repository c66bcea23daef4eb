"""Account closure while conversations start, or while other members close their accounts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from accounts.models import User
from accounts.people.relationships import make_contacts
from chatproject.core.errors import Conflict
from conversations.contacts.account_closure import close_account
from conversations.creation import create_group, start_direct
from conversations.models import Conversation
from tests.conversations.group_helpers import owner
from tests.support.together import ended_together, on_own_connection, until_blocked


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    "start",
    [lambda by, to: start_direct(by=by, to=to), lambda by, to: create_group(by=by, name="Two", participants=[to])],
    ids=["direct", "group"],
)
def test_no_conversation_starts_with_someone_whose_account_is_closing(
    start: Callable[[User, User], object], alice: User, bob: User
) -> None:
    with ThreadPoolExecutor() as pool, transaction.atomic():
        close_account(by=alice)
        started = pool.submit(on_own_connection, lambda: start(bob, alice))
        until_blocked()
    with pytest.raises(Conflict):
        started.result()
    assert not Conversation.objects.exists()


@pytest.mark.usefixtures("committed")
def test_a_group_created_during_closure_also_loses_the_person(alice: User, bob: User) -> None:
    with ThreadPoolExecutor() as pool, transaction.atomic():
        group = create_group(by=alice, name="Two", participants=[bob])
        closed = pool.submit(on_own_connection, lambda: close_account(by=alice))
        until_blocked()
    closed.result()
    assert owner(group) == "bob"
    assert list(group.participants.filter(left_at=None).values_list("user__username", flat=True)) == ["bob"]


@pytest.mark.usefixtures("committed")
def test_all_members_can_close_their_accounts_at_once_and_the_last_one_deletes_the_group(
    group: Conversation, conversation: Conversation, alice: User, bob: User, carol: User
) -> None:
    make_contacts(alice.pk, bob.pk)
    make_contacts(carol.pk, bob.pk)
    ends = ended_together(*[lambda user=user: close_account(by=user) for user in (alice, bob, carol)])
    assert [end.exception() for end in ends] == [None] * 3
    assert list(Conversation.objects.all()) == [conversation]
