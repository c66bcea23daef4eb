"""Who may write to whom and who may add whom, after each change of a block, contact or setting."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from accounts.people.relationships import make_contacts
from chatproject.core.errors import Blocked
from conversations.contacts.blocks import block, unblock
from conversations.contacts.invitations import accept_invitation, invite, remove_contact
from conversations.contacts.profile import update_me
from conversations.creation import create_group, start_direct
from conversations.models import Conversation
from conversations.permissions import refresh_permissions
from messaging.messages.send import send_direct, send_message
from tests.support.client import Client
from tests.support.together import ended_together, on_own_connection, until_blocked

App = Callable[[User], Awaitable[Client]]


def may_write(by: User, conversation: Conversation) -> bool:
    try:
        send_message(by=by, conversation_id=conversation.pk, text="Hi")
    except Blocked:
        return False
    return True


def only_contacts(user: User, **other: Any) -> None:
    update_me(by=user, settings={"write": "contacts"} | other)


# Two ways in which bob can refuse messages from alice.
REFUSALS = [lambda bob, alice: block(by=bob, other=alice), lambda bob, _: only_contacts(bob)]


# Commands that change permissions


def test_a_block_stops_the_conversation_both_ways_until_it_is_taken_back(
    conversation: Conversation, alice: User, bob: User
) -> None:
    block(by=alice, other=bob)
    assert (may_write(alice, conversation), may_write(bob, conversation)) == (False, False)
    unblock(by=alice, other_id=bob.pk)
    assert (may_write(alice, conversation), may_write(bob, conversation)) == (True, True)


def test_if_both_have_blocked_both_must_unblock(conversation: Conversation, alice: User, bob: User) -> None:
    block(by=alice, other=bob)
    block(by=bob, other=alice)
    unblock(by=alice, other_id=bob.pk)
    assert (may_write(alice, conversation), may_write(bob, conversation)) == (False, False)


def test_a_block_does_not_affect_groups(group: Conversation, alice: User, bob: User) -> None:
    block(by=alice, other=bob)
    only_contacts(alice)
    assert (may_write(alice, group), may_write(bob, group)) == (True, True)


def test_someone_who_accepts_messages_only_from_contacts_may_still_write_to_others(
    conversation: Conversation, alice: User, bob: User
) -> None:
    only_contacts(bob)
    assert (may_write(alice, conversation), may_write(bob, conversation)) == (False, True)
    update_me(by=bob, settings={"write": "everyone"})
    assert may_write(alice, conversation)


def test_contacts_may_write_until_the_contact_is_removed(conversation: Conversation, alice: User, bob: User) -> None:
    only_contacts(bob)
    accept_invitation(by=bob, invitation_id=invite(by=alice, to=bob)[0].pk)
    assert may_write(alice, conversation)
    remove_contact(by=bob, other_id=alice.pk)
    assert not may_write(alice, conversation)


def test_inviting_back_grants_permission_as_accepting_does(conversation: Conversation, alice: User, bob: User) -> None:
    only_contacts(bob)
    invite(by=alice, to=bob)
    invite(by=bob, to=alice)
    assert may_write(alice, conversation)


def test_a_change_of_permissions_publishes_no_event(conversation: Conversation, alice: User, bob: User) -> None:
    before = Conversation.objects.get()
    block(by=alice, other=bob)
    after = Conversation.objects.get()
    assert (after.version, after.changed_at) == (before.version, before.changed_at)
    assert after.epoch == before.epoch + 1


def test_the_epoch_stays_if_no_permission_changes(conversation: Conversation, alice: User, bob: User) -> None:
    block(by=alice, other=bob)
    before = Conversation.objects.get().epoch
    block(by=bob, other=alice)
    only_contacts(bob)
    assert Conversation.objects.get().epoch == before


def test_a_setting_updates_all_direct_conversations_with_the_statements_of_one(
    django_assert_max_num_queries: DjangoAssertNumQueries, person: Callable[..., User], alice: User
) -> None:
    friends = [person(f"friend-{n}") for n in range(12)]
    started = [start_direct(by=friend, to=alice)[0] for friend in friends]
    make_contacts(alice.pk, friends[0].pk)
    with django_assert_max_num_queries(12):
        only_contacts(alice)
    written = [may_write(friend, conversation) for friend, conversation in zip(friends, started, strict=True)]
    assert written == [True] + [False] * 11


# Starting a conversation


@pytest.mark.parametrize("refuse", REFUSALS, ids=["block", "setting"])
def test_someone_who_may_not_write_can_not_start_a_conversation(
    refuse: Callable[..., None], alice: User, bob: User
) -> None:
    refuse(bob, alice)
    for start in (start_direct, lambda **pair: send_direct(**pair, text="Hi")):
        with pytest.raises(Blocked):
            start(by=alice, to=bob)
    assert not Conversation.objects.exists()


def test_an_existing_conversation_is_found_by_someone_who_may_not_write(
    conversation: Conversation, alice: User, bob: User
) -> None:
    block(by=bob, other=alice)
    assert start_direct(by=alice, to=bob) == (conversation, False)


def test_nobody_can_answer_someone_who_starts_a_conversation_but_accepts_only_contacts(alice: User, bob: User) -> None:
    only_contacts(bob)
    conversation, _ = start_direct(by=bob, to=alice)
    assert (may_write(alice, conversation), may_write(bob, conversation)) == (False, True)


# Groups


@pytest.mark.parametrize(
    "refuse",
    [
        lambda bob, alice: block(by=bob, other=alice),
        lambda bob, alice: block(by=alice, other=bob),
        lambda bob, _: update_me(by=bob, settings={"add": "contacts"}),
        lambda bob, _: only_contacts(bob),
    ],
    ids=["has blocked me", "is blocked by me", "lets contacts add", "hears contacts only"],
)
def test_a_new_group_with_someone_who_may_not_be_added_is_refused(
    refuse: Callable[..., None], alice: User, bob: User
) -> None:
    refuse(bob, alice)
    with pytest.raises(Blocked) as refused:
        create_group(by=alice, name="Garden", participants=[bob])
    assert refused.value.pointer == "/participants"
    assert not Conversation.objects.exists()


def test_contacts_may_be_added_by_their_contacts(alice: User, bob: User) -> None:
    only_contacts(bob, add="contacts")
    only_contacts(alice, add="contacts")
    make_contacts(alice.pk, bob.pk)
    assert create_group(by=alice, name="Garden", participants=[bob]).participants.count() == 2


# Concurrent commands


@pytest.mark.usefixtures("committed")
def test_a_message_sent_during_a_block_waits_and_is_refused(conversation: Conversation, alice: User, bob: User) -> None:
    with ThreadPoolExecutor() as pool, transaction.atomic():
        block(by=alice, other=bob)
        sent = pool.submit(on_own_connection, lambda: may_write(bob, conversation))
        until_blocked()
    assert sent.result() is False


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("refuse", REFUSALS, ids=["block", "setting"])
def test_a_permission_revoked_while_a_conversation_starts_is_revoked_in_it(
    refuse: Callable[..., None], alice: User, bob: User
) -> None:
    with ThreadPoolExecutor() as pool, transaction.atomic():
        conversation, _ = start_direct(by=alice, to=bob)
        refused = pool.submit(on_own_connection, lambda: refuse(bob, alice))
        until_blocked()
    refused.result()
    assert not may_write(alice, conversation)


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("refuse", REFUSALS, ids=["block", "setting"])
def test_a_conversation_started_while_a_permission_is_revoked_waits_and_is_refused(
    refuse: Callable[..., None], alice: User, bob: User
) -> None:
    with ThreadPoolExecutor() as pool, transaction.atomic():
        refuse(bob, alice)
        started = pool.submit(on_own_connection, lambda: start_direct(by=alice, to=bob))
        until_blocked()
    with pytest.raises(Blocked):
        started.result()


@pytest.mark.usefixtures("committed")
def test_concurrent_changes_keep_permissions_consistent_without_deadlock(alice: User, bob: User, carol: User) -> None:
    people = [alice, bob, carol]
    for round_ in range(6):
        first, second = people[round_ % 3], people[(round_ + 1) % 3]
        ends = ended_together(
            lambda first=first, second=second: block(by=first, other=second),
            lambda first=first, second=second: start_direct(by=second, to=first),
            lambda first=first, second=second: invite(by=second, to=first),
            lambda first=first: only_contacts(first),
            lambda second=second: update_me(by=second, settings={"write": "everyone"}),
            lambda first=first, second=second: unblock(by=first, other_id=second.pk),
        )
        assert {type(error) for end in ends if (error := end.exception())} <= {Blocked}
    before = _rights()
    refresh_permissions(list(Conversation.objects.all()))
    assert _rights() == before


def _rights() -> dict[tuple[Any, Any], bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conversation_id, user_id, barred FROM conversations_participant")
        return {(conversation, user): barred for conversation, user, barred in cursor.fetchall()}


# Over the socket


async def test_a_blocked_person_is_refused_without_an_event_and_can_write_after_the_unblock(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    id = str(conversation.pk)
    async with (await app(alice)).socket() as hers, (await app(bob)).socket() as his:
        await his.say(id, "Hi")
        await hers.next("message.created")
        await his.next("message.created")
        await sync_to_async(block)(by=alice, other=bob)
        refused = await his.ask("message.send", conversation_id=id, text="Are you there?")
        assert refused["data"]["code"] == "blocked"
        for kind in ("resync", "conversation.created", "conversation.updated", "message.created"):
            assert await his.silence(kind, during=0.1)
        await sync_to_async(unblock)(by=alice, other_id=bob.pk)
        await his.say(id, "There you are")
        assert (await hers.next("message.created"))["message"]["text"] == "There you are"
