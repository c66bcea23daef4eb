"""The rank that each command of a group requires, and the commands of the owner."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from chatproject.core.errors import Conflict, Invalid, NotAllowed, Unprocessable
from conversations import groups
from conversations.models import Conversation, Departure, Participant
from messaging.messages.send import send_message
from messaging.models import Message
from messaging.sync.history import history
from tests.conversations.group_helpers import add, notices, remove, roles, set_role, version


@pytest.fixture
def ranks(group: Conversation, alice: User, bob: User, dave: User, mallory: User) -> dict[str, User]:
    """One person of each rank in a group that alice owns, and a stranger."""
    add(alice, group, dave)
    for user in (bob, dave):
        set_role(alice, group, user, "admin")
    return {"owner": alice, "admin": bob, "other admin": dave, "member": User.objects.get(username="carol"),
            "stranger": mallory}  # fmt: skip


@pytest.mark.parametrize(
    ("by", "of", "may"),
    [
        ("owner", "admin", True),
        ("owner", "member", True),
        ("owner", "owner", False),
        ("admin", "member", True),
        ("admin", "other admin", False),
        ("admin", "owner", False),
        ("admin", "admin", False),
        ("member", "member", False),
        ("member", "admin", False),
    ],
)
def test_only_someone_of_higher_rank_can_remove_a_member(
    ranks: dict[str, User], group: Conversation, by: str, of: str, may: bool
) -> None:
    if may:
        return remove(ranks[by], group, ranks[of])
    with pytest.raises(NotAllowed) as refused:
        remove(ranks[by], group, ranks[of])
    assert ("leave" in refused.value.detail) is (by == of)
    assert ranks[of].username in roles(group)
    return None


@pytest.mark.parametrize("by", ["admin", "member", "stranger"])
def test_only_the_owner_changes_roles(ranks: dict[str, User], group: Conversation, by: str) -> None:
    refusal = Conversation.DoesNotExist if by == "stranger" else NotAllowed
    for of, role in (("member", "admin"), ("other admin", "member")):
        with pytest.raises(refusal):
            set_role(ranks[by], group, ranks[of], role)
        set_role(ranks["owner"], group, ranks[of], role)
        assert roles(group)[ranks[of].username] == role


def test_setting_the_same_role_changes_nothing(ranks: dict[str, User], group: Conversation) -> None:
    before = version(group)
    assert set_role(ranks["owner"], group, ranks["admin"], "admin").role == "admin"
    assert version(group) == before


def test_the_owner_has_no_other_role_and_nobody_is_made_owner_by_a_role(
    group: Conversation, alice: User, bob: User
) -> None:
    with pytest.raises(NotAllowed):
        set_role(alice, group, alice, "member")
    with pytest.raises(Invalid):
        set_role(alice, group, bob, "owner")


def test_a_former_owner_stays_as_an_admin(group: Conversation, alice: User, bob: User) -> None:
    before = version(group)
    groups.transfer(by=alice, conversation_id=group.pk, to=bob)
    connection.check_constraints()
    assert roles(group) == {"alice": "admin", "bob": "owner", "carol": "member"}
    assert version(group) == (before[0] + 2, before[1] + 1)
    assert notices(group, alice)[1:] == [("transferred", "alice", ["bob"], None)]
    set_role(bob, group, alice, "member")
    assert roles(group)["alice"] == "member"


@pytest.mark.parametrize(
    ("by", "to", "refusal"),
    [
        ("owner", "owner", Unprocessable),
        ("owner", "stranger", Participant.DoesNotExist),
        ("admin", "member", NotAllowed),
        ("stranger", "stranger", Conversation.DoesNotExist),
    ],
)
def test_only_the_owner_transfers_a_group_and_only_to_another_member(
    ranks: dict[str, User], group: Conversation, by: str, to: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        groups.transfer(by=ranks[by], conversation_id=group.pk, to=ranks[to])


@pytest.mark.parametrize(
    ("by", "refusal"), [("admin", NotAllowed), ("member", NotAllowed), ("stranger", Conversation.DoesNotExist)]
)
def test_only_the_owner_deletes_a_group(
    ranks: dict[str, User], group: Conversation, by: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        groups.delete_group(by=ranks[by], conversation_id=group.pk)


def test_a_deleted_group_disappears_for_everyone_at_once(group: Conversation, alice: User, bob: User) -> None:
    message = send_message(by=alice, conversation_id=group.pk, text="Hi").message
    versions = dict(User.objects.values_list("username", "version"))
    groups.delete_group(by=alice, conversation_id=group.pk)
    connection.check_constraints()
    assert not Conversation.objects.exists()
    assert not Participant.objects.exists()
    assert set(Departure.objects.values_list("user__username", "reason")) == {
        (name, "deleted") for name in ("alice", "bob", "carol")
    }
    assert dict(User.objects.values_list("username", "version")) == {name: n + 1 for name, n in versions.items()}
    assert Message.objects.filter(pk=message["id"]).exists()
    with pytest.raises(Conversation.DoesNotExist):
        history(by=bob, conversation_id=group.pk)


def acts(user: User) -> dict[str, Callable[[User, Any], object]]:
    """All commands of groups, applied to `user` where they concern a person."""
    return {
        "update": lambda by, id: groups.update_group(by=by, conversation_id=id, name="New"),
        "add": lambda by, id: groups.add_members(by=by, conversation_id=id, users=[user]),
        "remove": lambda by, id: groups.remove_member(by=by, conversation_id=id, user_id=user.pk),
        "set role": lambda by, id: groups.set_role(by=by, conversation_id=id, user_id=user.pk, role="admin"),
        "leave": lambda by, id: groups.leave(by=by, conversation_id=id),
        "transfer": lambda by, id: groups.transfer(by=by, conversation_id=id, to=user),
        "delete": lambda by, id: groups.delete_group(by=by, conversation_id=id),
    }


def test_group_commands_refuse_strangers_and_direct_conversations(
    group: Conversation, conversation: Conversation, alice: User, bob: User, mallory: User
) -> None:
    before = version(group), version(conversation)
    for act in acts(bob).values():
        with pytest.raises(Conversation.DoesNotExist):
            act(mallory, group.pk)
        with pytest.raises(Conflict):
            act(alice, conversation.pk)
    assert (version(group), version(conversation)) == before


def test_a_plain_member_may_leave_and_nothing_else(group: Conversation, bob: User, carol: User) -> None:
    for name, act in acts(carol).items():
        if name != "leave":
            with pytest.raises(NotAllowed):
                act(bob, group.pk)


def test_commands_on_someone_who_is_not_a_member_are_refused(group: Conversation, alice: User, mallory: User) -> None:
    for name in ("remove", "set role", "transfer"):
        with pytest.raises(Participant.DoesNotExist):
            acts(mallory)[name](alice, group.pk)
