"""Invitation links: who makes them, where they lead, and when no more."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from chatproject.core.errors import Conflict, Gone, Invalid, NotAllowed
from conversations import groups, invite_links
from conversations.access import participant_of
from conversations.contacts.account_closure import close_account
from conversations.contacts.blocks import block
from conversations.contacts.profile import update_me
from conversations.creation import create_group
from conversations.models import Conversation, InviteLink
from messaging.sync.history import history


@pytest.fixture
def link(group: Conversation, alice: User) -> InviteLink:
    return make(group, alice)[0]


def make(group: Conversation, by: User, **how: Any) -> tuple[InviteLink, str]:
    return invite_links.make_link(by=by, conversation_id=group.pk, **how)


def is_in(user: User, group: Conversation) -> bool:
    return group.participants.filter(user=user, left_at=None).exists()


def test_whoever_has_a_link_comes_in_and_it_is_told(group: Conversation, alice: User, mallory: User) -> None:
    before = Conversation.objects.get()
    link, token = make(group, alice)
    assert invite_links.accept_link(by=mallory, token=token) == group
    assert is_in(mallory, group)
    after = Conversation.objects.get()
    assert (after.version, after.epoch) == (before.version + 2, before.epoch + 1)
    (said,) = history(by=mallory, conversation_id=group.pk).items
    assert (said["sender_id"], said["notice"]) == (
        str(mallory.pk), {"event": "joined", "user_ids": [str(mallory.pk)], "name": None},
    )  # fmt: skip
    assert InviteLink.objects.get(pk=link.pk).uses == 1


def test_a_token_has_128_bits_and_only_its_digest_is_stored(group: Conversation, alice: User) -> None:
    link, token = make(group, alice)
    assert len(token) == 22
    assert bytes(InviteLink.objects.get().token_hash) == hashlib.sha256(token.encode()).digest()
    shown = invite_links.link_json(link, token)
    assert shown["url"].endswith(f"/join/{token}")
    assert (invite_links.link_json(link)["token"], invite_links.link_json(link)["url"]) == (None, None)


def test_neither_a_block_nor_a_setting_keeps_anyone_from_coming_by_themselves(
    group: Conversation, alice: User, mallory: User
) -> None:
    block(by=alice, other=mallory)
    update_me(by=mallory, settings={"add": "contacts"})
    invite_links.accept_link(by=mallory, token=make(group, alice)[1])
    assert is_in(mallory, group)


def test_who_is_in_already_uses_nothing_up_even_of_a_link_that_is_spent(
    group: Conversation, alice: User, bob: User, mallory: User
) -> None:
    link, token = make(group, alice, max_uses=1)
    version = Conversation.objects.get().version
    assert invite_links.accept_link(by=bob, token=token) == group
    assert Conversation.objects.get().version == version
    invite_links.accept_link(by=mallory, token=token)
    assert invite_links.accept_link(by=mallory, token=token) == group
    assert InviteLink.objects.get(pk=link.pk).uses == 1


def spend(link: InviteLink) -> None:
    InviteLink.objects.filter(pk=link.pk).update(max_uses=3, uses=3)


def expire(link: InviteLink) -> None:
    InviteLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())


def revoke(link: InviteLink) -> None:
    for _ in range(2):
        invite_links.revoke_link(by=link.created_by, conversation_id=link.conversation_id, link_id=link.pk)


@pytest.mark.parametrize("end", [spend, expire, revoke])
def test_a_link_that_has_ended_leads_nowhere(end: Any, group: Conversation, alice: User, mallory: User) -> None:
    link, token = make(group, alice)
    assert invite_links.find_link(token) == link
    end(link)
    for use in (invite_links.find_link, lambda token: invite_links.accept_link(by=mallory, token=token)):
        with pytest.raises(Gone):
            use(token)
    assert invite_links.links_of(by=alice, conversation_id=group.pk) == []
    assert not is_in(mallory, group)


@pytest.mark.parametrize("token", ["", "x", "x" * 22, "\0", "\ud800", "é" * 5000])
def test_a_token_that_nobody_made_is_unknown(token: str, link: InviteLink, mallory: User) -> None:
    for use in (invite_links.find_link, lambda token: invite_links.accept_link(by=mallory, token=token)):
        with pytest.raises(InviteLink.DoesNotExist):
            use(token)


def test_a_link_goes_with_its_group(group: Conversation, alice: User, mallory: User) -> None:
    _, token = make(group, alice)
    groups.delete_group(by=alice, conversation_id=group.pk)
    with pytest.raises(InviteLink.DoesNotExist):
        invite_links.accept_link(by=mallory, token=token)


def test_a_link_into_a_full_group_waits_for_room(
    settings: Settings, group: Conversation, alice: User, mallory: User
) -> None:
    settings.GROUP_MEMBERS = 3
    link, token = make(group, alice)
    with pytest.raises(Conflict):
        invite_links.accept_link(by=mallory, token=token)
    assert InviteLink.objects.get(pk=link.pk).uses == 0


@pytest.mark.parametrize(
    "how",
    [{"expires_at": timezone.now() - timedelta(seconds=1)}, {"max_uses": 0}, {"max_uses": 100_001}],
    ids=lambda how: next(iter(how)),
)
def test_a_link_that_could_never_lead_anywhere_is_not_made(
    how: dict[str, Any], group: Conversation, alice: User
) -> None:
    with pytest.raises(Invalid) as refused:
        make(group, alice, **how)
    assert refused.value.pointer == f"/{next(iter(how))}"
    assert not InviteLink.objects.exists()


def test_a_group_has_a_hundred_links_at_a_time(group: Conversation, alice: User) -> None:
    made = [make(group, alice)[0] for _ in range(100)]
    with pytest.raises(Conflict):
        make(group, alice)
    revoke(made[7])
    latest, _ = make(group, alice)
    assert invite_links.links_of(by=alice, conversation_id=group.pk)[0] == latest


def test_links_are_the_admins_of_a_group(
    group: Conversation, conversation: Conversation, link: InviteLink, alice: User, bob: User, mallory: User
) -> None:
    acts = [
        lambda by, id: invite_links.make_link(by=by, conversation_id=id),
        lambda by, id: invite_links.links_of(by=by, conversation_id=id),
        lambda by, id: invite_links.revoke_link(by=by, conversation_id=id, link_id=link.pk),
    ]
    for act in acts:
        with pytest.raises(NotAllowed):
            act(bob, group.pk)
        with pytest.raises(Conversation.DoesNotExist):
            act(mallory, group.pk)
        with pytest.raises(Conflict):
            act(alice, conversation.pk)


def test_a_link_of_one_group_is_none_of_another(group: Conversation, link: InviteLink, bob: User, alice: User) -> None:
    other = create_group(by=bob, name="Other")
    with pytest.raises(InviteLink.DoesNotExist):
        invite_links.revoke_link(by=bob, conversation_id=other.pk, link_id=link.pk)


def test_whoever_an_admin_removed_comes_back_by_no_link_until_an_admin_adds_them(
    group: Conversation, alice: User, bob: User
) -> None:
    link, token = make(group, alice)
    groups.remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk)
    for use in (invite_links.find_link, invite_links.accept_link):
        with pytest.raises(NotAllowed):
            use(by=bob, token=token)
    assert InviteLink.objects.get(pk=link.pk).uses == 0
    groups.add_members(by=alice, conversation_id=group.pk, users=[bob])
    groups.leave(by=bob, conversation_id=group.pk)
    assert invite_links.accept_link(by=bob, token=token) == group


def test_who_left_may_come_back_by_a_link_and_sees_nothing_from_between(
    group: Conversation, alice: User, bob: User
) -> None:
    _, token = make(group, alice)
    groups.leave(by=bob, conversation_id=group.pk)
    before = Conversation.objects.get().version
    invite_links.accept_link(by=bob, token=token)
    assert participant_of(bob, group.pk).visible_from == before


def demote(group: Conversation, alice: User, bob: User) -> None:
    groups.set_role(by=alice, conversation_id=group.pk, user_id=bob.pk, role="member")


def remove(group: Conversation, alice: User, bob: User) -> None:
    groups.remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk)


def leave(group: Conversation, alice: User, bob: User) -> None:
    groups.leave(by=bob, conversation_id=group.pk)


def close(group: Conversation, alice: User, bob: User) -> None:
    close_account(by=bob)


@pytest.mark.parametrize("end", [demote, remove, leave, close])
def test_the_links_of_someone_who_is_no_longer_an_admin_are_revoked(
    end: Any, group: Conversation, alice: User, bob: User, mallory: User
) -> None:
    groups.set_role(by=alice, conversation_id=group.pk, user_id=bob.pk, role="admin")
    _, bobs = make(group, bob)
    _, alices = make(group, alice)
    end(group, alice, bob)
    with pytest.raises(Gone):
        invite_links.accept_link(by=mallory, token=bobs)
    assert invite_links.accept_link(by=mallory, token=alices) == group


def test_the_links_of_a_former_owner_who_stays_an_admin_go_on(
    group: Conversation, alice: User, bob: User, mallory: User
) -> None:
    _, token = make(group, alice)
    groups.transfer(by=alice, conversation_id=group.pk, to=bob)
    assert invite_links.accept_link(by=mallory, token=token) == group
