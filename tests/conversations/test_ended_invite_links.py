"""Invitation links that are used up, expired or revoked, by an admin or because their creator is no longer one."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from chatproject.core.errors import Gone
from conversations import groups, invite_links
from conversations.contacts.account_closure import close_account
from conversations.models import Conversation, InviteLink
from tests.conversations.group_helpers import is_in, make_link, revoke


def spend(link: InviteLink) -> None:
    InviteLink.objects.filter(pk=link.pk).update(max_uses=3, uses=3)


def expire(link: InviteLink) -> None:
    InviteLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())


@pytest.mark.parametrize("end", [spend, expire, revoke])
def test_an_ended_link_can_not_be_used(end: Any, group: Conversation, alice: User, mallory: User) -> None:
    link, token = make_link(group, alice)
    assert invite_links.find_link(token) == link
    end(link)
    for use in (invite_links.find_link, lambda token: invite_links.accept_link(by=mallory, token=token)):
        with pytest.raises(Gone):
            use(token)
    assert invite_links.links_of(by=alice, conversation_id=group.pk) == []
    assert not is_in(mallory, group)


@pytest.mark.parametrize("token", ["", "x", "x" * 22, "\0", "\ud800", "é" * 5000])
def test_an_unknown_token_is_refused(token: str, link: InviteLink, mallory: User) -> None:
    for use in (invite_links.find_link, lambda token: invite_links.accept_link(by=mallory, token=token)):
        with pytest.raises(InviteLink.DoesNotExist):
            use(token)


def test_a_link_is_deleted_with_its_group(group: Conversation, alice: User, mallory: User) -> None:
    _, token = make_link(group, alice)
    groups.delete_group(by=alice, conversation_id=group.pk)
    with pytest.raises(InviteLink.DoesNotExist):
        invite_links.accept_link(by=mallory, token=token)


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
    _, bobs = make_link(group, bob)
    _, alices = make_link(group, alice)
    end(group, alice, bob)
    with pytest.raises(Gone):
        invite_links.accept_link(by=mallory, token=bobs)
    assert invite_links.accept_link(by=mallory, token=alices) == group


def test_links_of_a_former_owner_stay_active(group: Conversation, alice: User, bob: User, mallory: User) -> None:
    _, token = make_link(group, alice)
    groups.transfer(by=alice, conversation_id=group.pk, to=bob)
    assert invite_links.accept_link(by=mallory, token=token) == group
