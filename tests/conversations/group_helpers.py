"""Helpers for tests of groups: commands in one short call, and the state of a group."""

from typing import Any

from accounts.models import User
from conversations import groups, invite_links
from conversations.events import role_of
from conversations.models import Conversation, InviteLink, Participant
from messaging.sync.history import history


def roles(group: Conversation) -> dict[str, str]:
    """The members by username, each with their role."""
    group = Conversation.objects.get(pk=group.pk)
    participants = group.participants.filter(left_at=None).select_related("user")
    return {participant.user.username: role_of(participant, group) for participant in participants}


def notices(group: Conversation, user: User) -> list[tuple[str, str, list[str], str | None]]:
    """The notices that a member can read: event, acting person, people concerned, and name."""
    names = {str(user.pk): user.username for user in User.objects.all()}
    messages = [each for each in history(by=user, conversation_id=group.pk).items if each["notice"]]
    return [
        (message["notice"]["event"], names[message["sender_id"]], [names[id] for id in message["notice"]["user_ids"]],
         message["notice"]["name"])
        for message in messages
    ]  # fmt: skip


def version(group: Conversation) -> tuple[int, int]:
    group = Conversation.objects.get(pk=group.pk)
    return group.version, group.epoch


def add(by: User, group: Conversation, *users: User) -> Conversation:
    return groups.add_members(by=by, conversation_id=group.pk, users=users)


def remove(by: User, group: Conversation, user: User) -> None:
    groups.remove_member(by=by, conversation_id=group.pk, user_id=user.pk)


def set_role(by: User, group: Conversation, user: User, role: str) -> Participant:
    return groups.set_role(by=by, conversation_id=group.pk, user_id=user.pk, role=role)


def texts(group: Conversation, user: User) -> list[str]:
    return [each["text"] for each in history(by=user, conversation_id=group.pk).items if each["text"]]


def owner(group: Conversation) -> str:
    return Conversation.objects.get(pk=group.pk).owner.username


def make_link(group: Conversation, by: User, **how: Any) -> tuple[InviteLink, str]:
    return invite_links.make_link(by=by, conversation_id=group.pk, **how)


def is_in(user: User, group: Conversation) -> bool:
    return group.participants.filter(user=user, left_at=None).exists()


def revoke(link: InviteLink) -> None:
    for _ in range(2):
        invite_links.revoke_link(by=link.created_by, conversation_id=link.conversation_id, link_id=link.pk)
