"""Closing an account: which data are deleted, which stay, and what other people see."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import sync_to_async
from django.db import connection

from accounts.auth.passwords import check_password
from accounts.auth.registration import register
from accounts.auth.sessions import start_session
from accounts.auth.tokens import live_session
from accounts.models import Block, Contact, ContactInvitation, Session, User
from accounts.people.references import find_user
from accounts.people.relationships import make_contacts
from chatproject.core.errors import Blocked
from conversations.contacts.account_closure import close_account
from conversations.contacts.blocks import block, unblock
from conversations.contacts.invitations import invite
from conversations.models import Conversation, Participant
from messaging.messages.send import send_message
from messaging.sync.history import history
from messaging.sync.inbox import show_conversation
from tests.support.client import Client

App = Callable[[User], Awaitable[Client]]


PASSWORD = "a secret nobody guesses"


def test_nobody_signs_in_to_a_closed_account_and_its_sessions_have_ended(person: Any) -> None:
    alice = person("alice", PASSWORD)
    session = start_session(user=alice, name="phone", ip="192.0.2.7")
    close_account(by=alice)
    assert live_session(session.pk) is None
    assert check_password(username="alice", password=PASSWORD, address="192.0.2.7") is None
    ended = Session.objects.get()
    assert (ended.name, ended.ip) == ("", None)


def test_closing_an_account_erases_all_personal_data(person: Any, bob: User, carol: User) -> None:
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


def test_the_username_can_be_registered_again(alice: User) -> None:
    close_account(by=alice)
    again = register(username="alice", password=PASSWORD)
    assert find_user({"username": "alice"}, by=again) == again != alice


def test_an_account_can_be_closed_only_once(alice: User) -> None:
    close_account(by=alice)
    with pytest.raises(User.DoesNotExist):
        close_account(by=alice)


def test_closure_is_published_only_to_people_whose_lists_contain_the_person(
    alice: User, bob: User, carol: User, mallory: User
) -> None:
    make_contacts(alice.pk, bob.pk)
    block(by=carol, other=alice)
    block(by=alice, other=mallory)
    before = dict(User.objects.values_list("username", "version"))
    close_account(by=alice)
    after = dict(User.objects.exclude(pk=alice.pk).values_list("username", "version"))
    assert {name for name in after if after[name] > before[name]} == {"bob", "carol"}


def test_messages_stay_under_the_name_deleted_account(
    group: Conversation, conversation: Conversation, alice: User, bob: User
) -> None:
    for each in (group, conversation):
        send_message(by=alice, conversation_id=each.pk, text="Remember me")
    close_account(by=alice)
    for each in (group, conversation):
        texts = [message["text"] for message in history(by=bob, conversation_id=each.pk).items if not message["notice"]]
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


def test_a_closed_account_leaves_every_group_with_a_notice(group: Conversation, bob: User, carol: User) -> None:
    before = Conversation.objects.get(pk=group.pk)
    close_account(by=bob)
    after = Conversation.objects.get(pk=group.pk)
    assert (after.version, after.epoch) == (before.version + 2, before.epoch + 1)
    shown = show_conversation(by=carol, conversation_id=group.pk)
    assert [each["user"]["username"] for each in shown["participants"]] == ["alice", "carol"]
    assert Participant.objects.get(conversation=group, user=bob).left_version == before.version + 1
    notice = history(by=carol, conversation_id=group.pk).items[-1]["notice"]
    assert notice == {"event": "left", "user_ids": [str(bob.pk)], "name": None}
    with pytest.raises(Conversation.DoesNotExist):
        send_message(by=bob, conversation_id=group.pk, text="Still here")


def test_a_direct_conversation_has_a_new_version_after_closure(conversation: Conversation, alice: User) -> None:
    before = Conversation.objects.get()
    close_account(by=alice)
    after = Conversation.objects.get()
    assert after.version == before.version + 1
    assert after.epoch > before.epoch
    participant = Participant.objects.get(user=alice)
    assert (participant.changed_version, participant.left_at) == (after.version, None)


def test_drafts_are_deleted(conversation: Conversation, alice: User) -> None:
    Participant.objects.filter(user=alice).update(draft=b"sealed")
    close_account(by=alice)
    assert Participant.objects.get(user=alice).draft is None


async def test_closing_an_account_closes_its_sockets_and_publishes_to_others(
    app: App, alice: User, bob: User, group: Conversation
) -> None:
    await sync_to_async(_give_password)(alice)
    hers, his = await app(alice), await app(bob)
    async with hers.socket() as closing, his.socket() as staying:
        wrong = await hers.post("/users/me/close", password="not this one")
        assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")
        assert (await hers.post("/users/me/close", password=PASSWORD)).status_code == 204
        assert await closing.closed() == 4503
        transferred, left = [(await staying.next("conversation.updated"))["changes"] for _ in range(2)]
        assert transferred["owner_id"] == str(bob.pk)
        assert left == {"participants": {"removed": [str(alice.pk)]}, "participant_count": 2}
        notices = [(await staying.next("message.created"))["message"]["notice"]["event"] for _ in range(2)]
        assert notices == ["transferred", "left"]
    assert (await hers.get("/users/me")).json()["code"] == "session_revoked"
    seen = await his.get(f"/users/{alice.pk}")
    assert (seen.status_code, seen.json()["data"]["display_name"]) == (200, "Deleted account")


async def test_a_closed_account_does_not_exist_for_strangers(app: App, alice: User, mallory: User) -> None:
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
