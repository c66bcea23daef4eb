"""Who is connected to all servers: queries and commands for the staff.

Everything here is recorded in the audit log. Only Redis knows all servers: RedisError is raised if it does not answer.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, TypedDict
from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.people.profiles import PersonJSON, people_json
from accounts.staff.audit_log import Action, Staff, record
from chatproject.core.errors import Invalid
from chatproject.core.json_types import Count, IdText, TimeText
from chatproject.core.pagination import PAGE_SIZE, Page, read_cursor, write_cursor
from chatproject.core.realtime import publish, timestamp_of
from chatproject.core.redis import redis
from chatproject.core.text import is_visible, require_storable
from conversations.access import participant_of
from conversations.last_seen_privacy import visible_people
from conversations.models import Conversation
from messaging.presence.events import AnnouncementFrame, UserDisconnected
from messaging.presence.queries import key_of, living_servers, servers_of, viewers_of
from messaging.presence.socket_limit import SOCKETS_PER_PERSON

ANNOUNCEMENT_LENGTH = 1000
SCAN_BATCH = 5000


class ProcessJSON(TypedDict):
    """A server process, and the number of its sockets."""

    id: str
    sockets: Count


class StatsJSON(TypedDict):
    """How many people and sockets are connected to all servers."""

    connected_users: Count
    connected_sockets: Count
    servers: list[ProcessJSON]


class SocketJSON(TypedDict):
    """A connected device."""

    server: str
    session_id: IdText
    since: TimeText


class ConnectedJSON(TypedDict):
    """Someone who is connected."""

    user: PersonJSON
    sockets: list[SocketJSON]


def stats(*, by: Staff) -> StatsJSON:
    """Count the people and sockets that are connected, and the sockets of each server."""
    record(by=by, action=Action.SEE_CONNECTED)
    return count()


def count() -> StatsJSON:
    """Do the same as `stats`, for pages that have already written to the audit log."""
    servers = {server: list(_sockets_on(server)) for server in living_servers()}
    return {
        "connected_users": len({member.partition(":")[0] for members in servers.values() for member in members}),
        "connected_sockets": sum(map(len, servers.values())),
        "servers": [{"id": server, "sockets": len(members)} for server, members in servers.items()],
    }


def _sockets_on(server: str) -> Iterator[str]:
    members: Iterator[tuple[Any, float]] = redis().zscan_iter(key_of(server, "sockets"), count=SCAN_BATCH)
    return (member.decode() for member, _ in members)


def list_connected(*, by: Staff, limit: int = PAGE_SIZE, cursor: str | None = None) -> Page[ConnectedJSON]:
    """List the people who are connected, each with their sockets: which server, which session, since when."""
    record(by=by, action=Action.SEE_CONNECTED)
    return find_connected(by=by, limit=limit, cursor=cursor)


def find_connected(*, by: Staff, limit: int = PAGE_SIZE, cursor: str | None = None) -> Page[ConnectedJSON]:
    """Do the same as `list_connected`, for pages that have already written to the audit log."""
    after = read_cursor(cursor, salt="connected") if cursor else ""
    found = _sockets_after(after, people=limit + 1)
    shown, more = dict(list(found.items())[:limit]), len(found) > limit
    next_cursor = write_cursor(next(reversed(shown)), salt="connected") if more else None
    users = User.objects.in_bulk(UUID(id) for id in shown)
    people = dict(zip(users, people_json(users.values(), viewer=by.user), strict=True))
    known = [(people[UUID(id)], sockets) for id, sockets in shown.items() if UUID(id) in people]
    items: list[ConnectedJSON] = [{"user": user, "sockets": sockets} for user, sockets in known]
    return Page(items, next=next_cursor, previous=None, has_more=more)


def _sockets_after(after: str, *, people: int) -> dict[str, list[SocketJSON]]:
    """Find the sockets of the next `people` people after a cursor, in the order of their ids."""
    start = f"({after};" if after else "-"
    # A person has at most SOCKETS_PER_PERSON sockets, so this covers the number of people asked for on every server.
    most = people * SOCKETS_PER_PERSON
    read: Any = redis().zrangebylex
    found = [
        (parts[0], parts[1], parts[2], parts[3], server)
        for server in living_servers()
        for member in read(key_of(server, "sockets"), start, "+", 0, most)
        if _is_known_form(parts := member.decode().split(":"))
    ]
    grouped = groupby(sorted(found), key=lambda each: each[0])
    sockets = {user: [_socket_json(*rest) for _, *rest in theirs] for user, theirs in grouped}
    return dict(list(sockets.items())[:people])


def _is_known_form(parts: list[str]) -> bool:
    """Tell whether a member is one of this release, or a longer one of the next."""
    try:
        user, _, session, since, *_ = parts
        return bool(UUID(user) and UUID(session)) and since.isdecimal()
    except ValueError:
        return False


def _socket_json(socket: str, session: str, since: str, server: str) -> SocketJSON:
    return {"server": server, "session_id": str(UUID(session)), "since": timestamp_of(int(since))}


def list_viewers(*, by: User, conversation_id: UUID) -> list[PersonJSON]:
    """List who has a conversation open, as far as a member may see them; Conversation.DoesNotExist for a stranger."""
    participant_of(by, conversation_id)
    visible = visible_people(by=by, ids=viewers_of(conversation_id))
    return people_json(User.objects.filter(pk__in=visible).order_by("username"), viewer=by)


def list_viewers_for_staff(*, by: Staff, conversation_id: UUID) -> list[PersonJSON]:
    """List everyone who has a conversation open now."""
    conversation = Conversation.objects.get(pk=conversation_id)
    record(by=by, action=Action.SEE_PRESENT, kind="conversation", id=conversation.pk)
    return people_json(User.objects.filter(pk__in=viewers_of(conversation_id)).order_by("username"), viewer=by.user)


def disconnect(*, by: Staff, user_id: UUID) -> None:
    """Close the sockets that a person has now; their sessions stay. User.DoesNotExist without such an account."""
    user = User.objects.get(pk=user_id, is_active=True)
    by.require_authority_over(user)
    servers = sorted(servers_of(user.pk))
    with transaction.atomic():
        record(by=by, action=Action.DISCONNECT, kind="person", id=user.pk, before={"servers": servers})
        transaction.on_commit(lambda: publish([UserDisconnected(user.pk)]))


def announce(*, by: Staff, text: str, conversation_id: UUID | None = None) -> None:
    """Announce a text of 1 to 1,000 code points to everyone who is connected, or to the members of a conversation.

    The text is stored nowhere but in the audit log.

    Conversation.DoesNotExist if there is none.
    """
    text = text.strip()
    if not is_visible(text) or len(text) > ANNOUNCEMENT_LENGTH:
        raise Invalid(f"An announcement has 1 to {ANNOUNCEMENT_LENGTH} characters.", pointer="/message")
    require_storable(text, pointer="/message")
    if conversation_id is not None:
        Conversation.objects.get(pk=conversation_id)
    redis().ping()
    kind = "conversation" if conversation_id else ""
    with transaction.atomic():
        record(by=by, action=Action.ANNOUNCE, kind=kind, id=conversation_id, after={"text": text})
        transaction.on_commit(lambda: publish([AnnouncementFrame.of(text, conversation_id=conversation_id)]))
