"""The names and pictures of the people whom a page mentions."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.web.person_view import Person
from messaging.messages.json import MessageJSON


def participant_names(conversation: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of a conversation's participants by id; empty for a group too large to list them."""
    users = (each["user"] for each in conversation.get("participants", ()))
    return {user["id"]: user["display_name"] or user["username"] for user in users}


def participant_avatars(conversation: Mapping[str, Any]) -> dict[str, str]:
    """Return the paths to the pictures of a conversation's participants by id."""
    users = (each["user"] for each in conversation.get("participants", ()))
    return {user["id"]: user["avatar_url"] or "" for user in users}


def participant_list(conversation: Mapping[str, Any]) -> list[Person]:
    """Return a conversation's participants by name; only owners and admins of groups show their role."""
    people = [
        Person.of(
            each["user"], role="" if each["role"] == "member" or conversation["kind"] == "direct" else each["role"]
        )
        for each in conversation.get("participants", ())
    ]
    return sorted(people, key=lambda person: person.name.casefold())


def user_ids_in(messages: Iterable[MessageJSON]) -> set[str]:
    """Return the ids of all users whose names are needed to show some messages."""
    found: set[str] = set()
    for message in messages:
        found |= {message["sender_id"], *(message["notice"]["user_ids"] if message["notice"] else ())}
        found |= {id for reaction in message["reactions"] for id in reaction["user_ids"]}
    return found


def with_missing_names(ids: Iterable[str], names: dict[str, str]) -> dict[str, str]:
    """Add the names of users who have left, or whose group is too large to list its members."""
    unknown = set(ids) - names.keys()
    if not unknown:
        return names
    users = User.objects.in_bulk([UUID(each) for each in unknown])
    return names | {str(user.pk): user.name for user in users.values()}
