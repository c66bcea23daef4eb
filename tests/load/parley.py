"""Parley as a system under load. People come by its own commands, or in bulk where those would take long."""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar, get_args

from django.utils import timezone

from accounts.auth.tokens import issue_pair
from accounts.models import Session, User
from chatproject.core.ids import uuid7
from chatproject.embedded.application import commands
from chatproject.exposure import Address
from conversations.creation import create_group, start_direct
from conversations.models import Conversation, Participant, direct_key
from messaging.socket import commands as protocol
from tests.load.processes import Web, free_port, web
from tests.load.world import Seats, Sizes, World

T = TypeVar("T")

COMMANDS = {kind.__struct_config__.tag for kind in get_args(protocol.Command)}


class Parley:
    """One web process, on the database that Django uses now."""

    name = "parley"
    hears_delivered = "delivered" in COMMANDS
    catches_up = "catch_up" in protocol.Connect.__struct_fields__
    """Whether a socket can ask for what was missed."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = environ or {}

    def world(self, sizes: Sizes) -> World:
        members = people(sizes.members, name="member")
        group = create_group(by=members[0], name="Load", participants=members[1:])
        talks = [start_pair(users) for users in _pairs(people(2 * sizes.pairs, name="pair"))]
        return World(talks, Seats(str(group.pk), tokens(members)), idle_pairs(people(sizes.idle, name="idle")))

    def running(self, *, cpu: int | None = None) -> AbstractContextManager[Web]:
        port = free_port()
        return web(command(port), self._environ, port=port, cpu=cpu)


def command(port: int) -> list[str]:
    """The command line of one web process, as `make run` starts it."""
    return commands({**os.environ, "WEB_WORKERS": "1"}, Address("127.0.0.1", port))["web"]


def people(count: int, *, name: str) -> list[User]:
    """Make people whom nobody signs in as by a password."""
    made = [User(username=f"{name}{number}", display_name=f"{name.title()} {number}") for number in range(count)]
    for user in made:
        user.set_unusable_password()
    return User.objects.bulk_create(made)


def tokens(users: Sequence[User]) -> list[str]:
    """Sign people in, each on a new device, and give their access tokens."""
    now = timezone.now()
    made = [Session(user=user, name="load", refresh_id=uuid7(), refreshed_at=now) for user in users]
    return [issue_pair(session)["access"] for session in Session.objects.bulk_create(made)]


def start_pair(users: Sequence[User]) -> Seats:
    """Let two people begin to talk."""
    return Seats(str(start_direct(by=users[0], to=users[1])[0].pk), tokens(users))


def idle_pairs(users: Sequence[User]) -> list[Seats]:
    """Give many people, two by two, a conversation that nothing is said in."""
    signed_in = tokens(users)
    made = direct_conversations(_pairs(users))
    return [Seats(str(each.pk), mine) for each, mine in zip(made, _pairs(signed_in), strict=True)]


def sociable(count: int) -> str:
    """Make a person with many conversations, and give their token."""
    user, *others = people(1 + count, name="sociable")
    direct_conversations([(user, other) for other in others])
    return tokens([user])[0]


def direct_conversations(pairs: Sequence[Sequence[User]]) -> list[Conversation]:
    """Make the conversations of many pairs, as `start_direct` would one by one."""
    made = Conversation.objects.bulk_create(
        Conversation(kind=Conversation.Kind.DIRECT, direct_key=direct_key(one.pk, other.pk)) for one, other in pairs
    )
    Participant.objects.bulk_create(
        Participant(conversation=each, user=user) for each, pair in zip(made, pairs, strict=True) for user in pair
    )
    return made


def _pairs(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[n : n + 2] for n in range(0, len(items), 2)]
