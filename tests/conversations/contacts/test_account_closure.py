"""The end of an account: what ends with it, what stays, and who comes after."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.utils import timezone

from accounts.auth.passwords import check_password
from accounts.auth.registration import register
from accounts.auth.sessions import start_session
from accounts.auth.tokens import live_session
from accounts.models import Block, Contact, ContactInvitation, Session, User
from accounts.people.references import find_user
from accounts.people.relationships import make_contacts
from chatproject.core.errors import Blocked, Conflict
from conversations.contacts.account_closure import close_account
from conversations.contacts.blocks import block, unblock
from conversations.contacts.invitations import invite
from conversations.creation import create_group, start_direct
from conversations.models import Conversation, Participant
from messaging.messages.send import send_message
from messaging.models import Message
from messaging.retention.purge import forget_conversation, left_behind
from messaging.sync.history import history
from messaging.sync.inbox import list_conversations, show_conversation
from tests.support.client import Client
from tests.support.together import ended_together, on_own_connection, until_blocked

App = Callable[[User], Awaitable[Client]]
PASSWORD = "a secret nobody guesses"


def owner(group: Conversation) -> str:
    return Conversation.objects.get(pk=group.pk).owner.username


def joined(group: Conversation, user: User, *, days_ago: int, role: str = "member") -> None:
    at = timezone.now() - timedelta(days=days_ago)
    Participant.objects.filter(conversation=group, user=user).update(joined_at=at, role=role)


# The person


def test_nobody_signs_in_to_a_closed_account_and_its_sessions_have_ended(person: Any) -> None:
    alice = person("alice", PASSWORD)
    session = start_session(user=alice, name="phone", ip="192.0.2.7")
    close_account(by=alice)
    assert live_session(session.pk) is None
    assert check_password(username="alice", password=PASSWORD, address="192.0.2.7") is None
    ended = Session.objects.get()
    assert (ended.name, ended.ip) == ("", None)


def test_nothing_of_the_person_stays(person: Any, bob: User, carol: User) -> None:
    alice = person("alice", PASSWORD, display_name="Alice", email="a@example.org", about="Books", is_staff=True)
    User.objects.filter(pk=alice.pk).update(wallet_address="0x" + "a" * 40, settings={"write": "contacts"})
    EmailAddress.objects.create(user=alice, email="a@example.org")
    make_contacts(alice.pk, bob.pk)
    invite(by=carol, to=alice)
    block(by=alice, other=carol)
    close_account(by=alice)
    with connection.cursor() as cursor:
        cursor.execute("SELECT u::text FROM accounts_user u WHERE id = %s", [alice.pk])
        row = cursor.fetchone()[0].casefold()
    assert not [trace for trace in ("alice", "a@example.org", "books", "0xaaa", "contacts", "argon2") if trace in row]
    assert User.objects.get(pk=alice.pk).is_staff is False
    for model in (Contact, ContactInvitation, Block, EmailAddress):
        assert not model.objects.exists()


def test_the_name_is_free_again(alice: User) -> None:
    close_account(by=alice)
    again = register(username="alice", password=PASSWORD)
    assert find_user({"username": "alice"}, by=again) == again != alice


def test_a_closed_account_is_closed_once(alice: User) -> None:
    close_account(by=alice)
    with pytest.raises(User.DoesNotExist):
        close_account(by=alice)


def test_those_in_whose_lists_the_person_stood_are_told_and_those_who_were_never_to_know_are_not(
    alice: User, bob: User, carol: User, mallory: User
) -> None:
    make_contacts(alice.pk, bob.pk)
    block(by=carol, other=alice)
    block(by=alice, other=mallory)
    before = dict(User.objects.values_list("username", "version"))
    close_account(by=alice)
    after = dict(User.objects.exclude(pk=alice.pk).values_list("username", "version"))
    assert {name for name in after if after[name] > before[name]} == {"bob", "carol"}


# What they said, and to whom


def test_what_was_said_stays_under_another_name(
    group: Conversation, conversation: Conversation, alice: User, bob: User
) -> None:
    for each in (group, conversation):
        send_message(by=alice, conversation_id=each.pk, text="Remember me")
    close_account(by=alice)
    for each in (group, conversation):
        texts = [said["text"] for said in history(by=bob, conversation_id=each.pk).items if not said["notice"]]
        assert texts == ["Remember me"]
    shown = show_conversation(by=bob, conversation_id=conversation.pk)
    assert shown["name"] == "Deleted account"
    users = [each["user"] for each in shown["participants"] if each["user"]["id"] == str(alice.pk)]
    assert [(user["display_name"], user["username"], user["about"]) for user in users] == [("Deleted account", "", "")]


def test_nobody_writes_to_a_closed_account(conversation: Conversation, alice: User, bob: User) -> None:
    close_account(by=alice)
    with pytest.raises(Blocked):
        send_message(by=bob, conversation_id=conversation.pk, text="Hi")
    unblock(by=bob, other_id=alice.pk)
    with pytest.raises(Blocked):
        send_message(by=bob, conversation_id=conversation.pk, text="Hi")


def test_a_closed_account_is_in_no_group_and_its_leaving_is_a_change_of_each(
    group: Conversation, bob: User, carol: User
) -> None:
    before = Conversation.objects.get(pk=group.pk)
    close_account(by=bob)
    after = Conversation.objects.get(pk=group.pk)
    assert (after.version, after.epoch) == (before.version + 2, before.epoch + 1)
    shown = show_conversation(by=carol, conversation_id=group.pk)
    assert [each["user"]["username"] for each in shown["participants"]] == ["alice", "carol"]
    assert Participant.objects.get(conversation=group, user=bob).left_version == before.version + 1
    assert shown["last_message"]["notice"] == {"event": "left", "user_ids": [str(bob.pk)], "name": None}
    with pytest.raises(Conversation.DoesNotExist):
        send_message(by=bob, conversation_id=group.pk, text="Still here")


# Who comes after


@pytest.mark.parametrize(
    ("bob_is", "carol_is", "heir"),
    [
        ((9, "member"), (5, "member"), "bob"),
        ((5, "member"), (9, "member"), "carol"),
        ((9, "member"), (1, "admin"), "carol"),
        ((1, "admin"), (9, "admin"), "carol"),
    ],
)
def test_the_longest_standing_admin_then_member_owns_the_group(
    group: Conversation, alice: User, bob: User, carol: User, bob_is: Any, carol_is: Any, heir: str
) -> None:
    for user, (days_ago, role) in ((bob, bob_is), (carol, carol_is)):
        joined(group, user, days_ago=days_ago, role=role)
    close_account(by=alice)
    connection.check_constraints()
    assert owner(group) == heir
    roles = {each["user"]["username"]: each["role"] for each in list_conversations(by=bob).items[0]["participants"]}
    assert roles[heir] == "owner"


def test_who_has_left_or_been_suspended_comes_after_those_who_are_there(
    group: Conversation, alice: User, bob: User, carol: User, person: Any
) -> None:
    for n, user in enumerate((bob, carol)):
        joined(group, user, days_ago=9 - n, role="admin")
    User.objects.filter(pk=bob.pk).update(is_active=False)
    Participant.objects.filter(user=carol).update(left_at=timezone.now(), left_version=0)
    dave = person("dave")
    Participant.objects.create(conversation=group, user=dave)
    close_account(by=alice)
    assert owner(group) == "dave"


def test_the_group_hears_who_comes_after_and_that_the_owner_has_gone(
    group: Conversation, alice: User, bob: User
) -> None:
    close_account(by=alice)
    said = [each["notice"] for each in history(by=bob, conversation_id=group.pk).items]
    assert [(notice["event"], notice["user_ids"]) for notice in said][1:] == [
        ("transferred", [str(bob.pk)]),
        ("left", [str(alice.pk)]),
    ]


def test_the_other_one_of_two_hears_the_new_name(conversation: Conversation, alice: User) -> None:
    before = Conversation.objects.get()
    close_account(by=alice)
    after = Conversation.objects.get()
    assert after.version == before.version + 1
    assert after.epoch > before.epoch
    place = Participant.objects.get(user=alice)
    assert (place.changed_version, place.left_at) == (after.version, None)


def test_what_the_person_had_begun_to_write_is_gone(conversation: Conversation, alice: User) -> None:
    Participant.objects.filter(user=alice).update(draft=b"sealed")
    close_account(by=alice)
    assert Participant.objects.get(user=alice).draft is None


def test_a_group_that_nobody_is_left_in_goes_with_what_was_said_in_it(
    group: Conversation, conversation: Conversation, alice: User
) -> None:
    notes = create_group(by=alice, name="Notes")
    for each in (notes, group, conversation):
        send_message(by=alice, conversation_id=each.pk, text="Hi")
    close_account(by=alice)
    connection.check_constraints()
    assert set(Conversation.objects.all()) == {group, conversation}
    assert left_behind() == [notes.pk]
    assert forget_conversation(notes.pk) == 2
    assert not Message.objects.filter(conversation=notes.pk).exists()
    assert Message.objects.filter(kind="text").count() == 2


# At the same moment


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    "begin",
    [lambda by, to: start_direct(by=by, to=to), lambda by, to: create_group(by=by, name="Two", participants=[to])],
    ids=["direct", "group"],
)
def test_nobody_is_put_into_a_conversation_while_they_go(
    begin: Callable[[User, User], object], alice: User, bob: User
) -> None:
    with ThreadPoolExecutor() as pool, transaction.atomic():
        close_account(by=alice)
        begun = pool.submit(on_own_connection, lambda: begin(bob, alice))
        until_blocked()
    with pytest.raises(Conflict):
        begun.result()
    assert not Conversation.objects.exists()


@pytest.mark.usefixtures("committed")
def test_a_group_that_begins_while_someone_in_it_goes_loses_them_too(alice: User, bob: User) -> None:
    with ThreadPoolExecutor() as pool, transaction.atomic():
        group = create_group(by=alice, name="Two", participants=[bob])
        closed = pool.submit(on_own_connection, lambda: close_account(by=alice))
        until_blocked()
    closed.result()
    assert owner(group) == "bob"
    assert list(group.participants.filter(left_at=None).values_list("user__username", flat=True)) == ["bob"]


@pytest.mark.usefixtures("committed")
def test_all_members_of_a_group_may_go_at_the_same_moment_and_the_last_one_takes_it_along(
    group: Conversation, conversation: Conversation, alice: User, bob: User, carol: User
) -> None:
    make_contacts(alice.pk, bob.pk)
    make_contacts(carol.pk, bob.pk)
    ends = ended_together(*[lambda user=user: close_account(by=user) for user in (alice, bob, carol)])
    assert [end.exception() for end in ends] == [None] * 3
    assert list(Conversation.objects.all()) == [conversation]


# The door


async def test_closing_an_account_closes_its_sockets_and_the_others_look_again(
    app: App, alice: User, bob: User, group: Conversation
) -> None:
    await sync_to_async(_give_password)(alice)
    hers, his = await app(alice), await app(bob)
    async with hers.socket() as closing, his.socket() as staying:
        wrong = await hers.post("/users/me/close", password="not this one")
        assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")
        assert (await hers.post("/users/me/close", password=PASSWORD)).status_code == 204
        assert await closing.closed() == 4503
        handed, left = [(await staying.next("conversation.updated"))["changes"] for _ in range(2)]
        assert handed["owner_id"] == str(bob.pk)
        assert left == {"participants": {"removed": [str(alice.pk)]}, "participant_count": 2}
        notices = [(await staying.next("message.created"))["message"]["notice"]["event"] for _ in range(2)]
        assert notices == ["transferred", "left"]
    assert (await hers.get("/users/me")).json()["code"] == "session_revoked"
    seen = await his.get(f"/users/{alice.pk}")
    assert (seen.status_code, seen.json()["data"]["display_name"]) == (200, "Deleted account")


async def test_to_those_who_never_met_them_a_closed_account_is_nobody(app: App, alice: User, mallory: User) -> None:
    await sync_to_async(close_account)(by=alice)
    client = await app(mallory)
    assert (await client.get(f"/users/{alice.pk}")).status_code == 404
    assert (await client.get("/users", search="closed")).json()["data"] == []
    assert (await client.get("/users", search="deleted")).json()["data"] == []
    invited = await client.post("/contacts/invitations", to={"id": str(alice.pk)})
    assert invited.status_code == 404


def _give_password(user: User) -> None:
    user.set_password(PASSWORD)
    user.save()
