"""Creating, listing and revoking invitation links."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from chatproject.core.errors import Conflict, Invalid, NotAllowed
from conversations import invite_links
from conversations.creation import create_group
from conversations.models import Conversation, InviteLink
from tests.conversations.group_helpers import make_link, revoke


def test_a_token_has_128_bits_and_only_its_digest_is_stored(group: Conversation, alice: User) -> None:
    link, token = make_link(group, alice)
    assert len(token) == 22
    assert bytes(InviteLink.objects.get().token_hash) == hashlib.sha256(token.encode()).digest()
    shown = invite_links.link_json(link, token)
    assert shown["url"].endswith(f"/join/{token}")
    assert (invite_links.link_json(link)["token"], invite_links.link_json(link)["url"]) == (None, None)


@pytest.mark.parametrize(
    "how",
    [{"expires_at": timezone.now() - timedelta(seconds=1)}, {"max_uses": 0}, {"max_uses": 100_001}],
    ids=lambda how: next(iter(how)),
)
def test_a_link_that_could_never_be_used_is_not_created(how: dict[str, Any], group: Conversation, alice: User) -> None:
    with pytest.raises(Invalid) as refused:
        make_link(group, alice, **how)
    assert refused.value.pointer == f"/{next(iter(how))}"
    assert not InviteLink.objects.exists()


def test_a_group_has_at_most_a_hundred_active_links(group: Conversation, alice: User) -> None:
    made = [make_link(group, alice)[0] for _ in range(100)]
    with pytest.raises(Conflict):
        make_link(group, alice)
    revoke(made[7])
    latest, _ = make_link(group, alice)
    assert invite_links.links_of(by=alice, conversation_id=group.pk)[0] == latest


def test_only_admins_manage_links_and_only_of_groups(
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


def test_a_link_can_not_be_revoked_through_another_group(
    group: Conversation, link: InviteLink, bob: User, alice: User
) -> None:
    other = create_group(by=bob, name="Other")
    with pytest.raises(InviteLink.DoesNotExist):
        invite_links.revoke_link(by=bob, conversation_id=other.pk, link_id=link.pk)
