"""Joining a group by an invitation link."""

import pytest
from pytest_django import Settings

from accounts.models import User
from chatproject.core.errors import Conflict, NotAllowed
from conversations import groups, invite_links
from conversations.access import participant_of
from conversations.contacts.blocks import block
from conversations.contacts.profile import update_me
from conversations.models import Conversation, InviteLink
from messaging.sync.history import history
from tests.conversations.group_helpers import is_in, make_link


def test_anyone_with_a_link_can_join_and_it_is_published(group: Conversation, alice: User, mallory: User) -> None:
    before = Conversation.objects.get()
    link, token = make_link(group, alice)
    assert invite_links.accept_link(by=mallory, token=token) == group
    assert is_in(mallory, group)
    after = Conversation.objects.get()
    assert (after.version, after.epoch) == (before.version + 2, before.epoch + 1)
    (message,) = history(by=mallory, conversation_id=group.pk).items
    assert (message["sender_id"], message["notice"]) == (
        str(mallory.pk), {"event": "joined", "user_ids": [str(mallory.pk)], "name": None},
    )  # fmt: skip
    assert InviteLink.objects.get(pk=link.pk).uses == 1


def test_neither_a_block_nor_a_setting_prevents_joining_by_link(
    group: Conversation, alice: User, mallory: User
) -> None:
    block(by=alice, other=mallory)
    update_me(by=mallory, settings={"add": "contacts"})
    invite_links.accept_link(by=mallory, token=make_link(group, alice)[1])
    assert is_in(mallory, group)


def test_a_member_uses_nothing_up_even_if_the_link_is_used_up(
    group: Conversation, alice: User, bob: User, mallory: User
) -> None:
    link, token = make_link(group, alice, max_uses=1)
    version = Conversation.objects.get().version
    assert invite_links.accept_link(by=bob, token=token) == group
    assert Conversation.objects.get().version == version
    invite_links.accept_link(by=mallory, token=token)
    assert invite_links.accept_link(by=mallory, token=token) == group
    assert InviteLink.objects.get(pk=link.pk).uses == 1


def test_joining_a_full_group_is_refused_and_uses_nothing_up(
    settings: Settings, group: Conversation, alice: User, mallory: User
) -> None:
    settings.GROUP_MEMBERS = 3
    link, token = make_link(group, alice)
    with pytest.raises(Conflict):
        invite_links.accept_link(by=mallory, token=token)
    assert InviteLink.objects.get(pk=link.pk).uses == 0


def test_a_removed_person_can_use_no_link_until_an_admin_adds_them(group: Conversation, alice: User, bob: User) -> None:
    link, token = make_link(group, alice)
    groups.remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk)
    for use in (invite_links.find_link, invite_links.accept_link):
        with pytest.raises(NotAllowed):
            use(by=bob, token=token)
    assert InviteLink.objects.get(pk=link.pk).uses == 0
    groups.add_members(by=alice, conversation_id=group.pk, users=[bob])
    groups.leave(by=bob, conversation_id=group.pk)
    assert invite_links.accept_link(by=bob, token=token) == group


def test_someone_who_left_can_join_again_but_sees_no_messages_from_between(
    group: Conversation, alice: User, bob: User
) -> None:
    _, token = make_link(group, alice)
    groups.leave(by=bob, conversation_id=group.pk)
    before = Conversation.objects.get().version
    invite_links.accept_link(by=bob, token=token)
    assert participant_of(bob, group.pk).visible_from == before
