"""A page of history is the same, byte for byte, whether the view set answers it or the reads before Django do."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Session, User
from chatproject.core.generation import raise_generation
from conversations.groups import add_members, remove_member, update_group
from conversations.models import Conversation, Participant
from messaging.messages.edit import delete_message, edit_message
from messaging.messages.reactions import add_reaction
from messaging.models import Message
from tests.messaging.helpers import say, uploaded
from tests.messaging.media.conftest import *  # noqa: F403 (the fixtures of pictures)
from tests.support.restore import until_noticed
from tests.support.server import Server, running

pytestmark = pytest.mark.usefixtures("committed")

BY_VIEW_SET = {"Cookie": "other=1"}
"""A request with a cookie is handed on to Django."""
DIFFERS = {"x-request-id", "ratelimit", "date", "content-length"}
QUERIES = ["", "limit=1", "limit=3", "limit=100", "limit=1000", "limit=007", "before=5", "after=2&limit=2", "after=0"]
HANDED_ON = ["limit=0", "limit=x", "limit=-1", "before=1&after=2", "around=4", "limit=2&limit=3", "other=1", "before="]


@pytest.fixture(scope="module")
def _counting(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock(), running(app="tests.support.hops:application") as server:
        yield server


class Reader:
    """An app that reads the same in both ways."""

    def __init__(self, http: httpx.Client, access: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {access}"}

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._http.get(path, headers=self._headers | headers)

    def hops(self) -> int:
        return int(self._http.get("/hops").text)

    def same(self, path: str, **headers: str) -> httpx.Response:
        """Read in both ways, and return the answer of the fast one."""
        by_view_set, fast = self.get(path, **headers, **BY_VIEW_SET), self.get(path, **headers)
        assert fast.status_code == by_view_set.status_code
        assert content_of(fast) == content_of(by_view_set)
        assert known(fast) == known(by_view_set)
        return fast


def content_of(answer: httpx.Response) -> bytes:
    id = answer.headers["X-Request-ID"].encode()
    return answer.content if answer.is_success else answer.content.replace(id, b"")


def known(answer: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in DIFFERS}


def path_of(conversation: Conversation, query: str = "") -> str:
    return f"/api/v1/messages/conversation/{conversation.pk}{'?' if query else ''}{query}"


@pytest.fixture
def reader(_counting: Server, access: Callable[[User], str]) -> Iterator[Callable[[User], Reader]]:
    def sign_in(user: User) -> Reader:
        found = Reader(http, access(user))
        # The first use of a new pair of tokens is written down, by the view set.
        found.get("/api/v1/users/me")
        return found

    with httpx.Client(base_url=_counting.url) as http:
        yield sign_in


@pytest.fixture
def lively(group: Conversation, alice: User, bob: User, carol: User) -> Conversation:
    """A group in which everything has happened."""
    rng = Random(3)
    said = [say((alice, bob, carol)[n % 3], group, f"Number {n}, é 😀 @bob") for n in range(8)]
    edit_message(by=alice, message_id=UUID(said[0]["id"]), text="Mended")
    delete_message(by=bob, message_id=UUID(said[1]["id"]))
    for emoji in ("👍", "🎉"):
        add_reaction(by=rng.choice([alice, bob]), message_id=UUID(said[3]["id"]), emoji=emoji)
    say(bob, group, "An answer", reply_to_id=UUID(said[4]["id"]))
    say(alice, group, "A picture", media=[uploaded(alice).pk])
    update_group(by=alice, conversation_id=group.pk, name="Orchard")
    remove_member(by=alice, conversation_id=group.pk, user_id=carol.pk)
    add_members(by=alice, conversation_id=group.pk, users=[carol])
    say(carol, group, "Back again")
    return group


def test_both_ways_answer_the_same(
    reader: Callable[[User], Reader], lively: Conversation, alice: User, carol: User, mallory: User
) -> None:
    for person in (alice, carol, mallory):
        one = reader(person)
        for query in QUERIES + HANDED_ON:
            one.same(path_of(lively, query))
            one.same(path_of(lively, query), **{"Accept-Encoding": "identity"})
            one.same(path_of(lively, query), **{"Accept-Language": "de", "X-Request-ID": "abcdefgh"})


def test_a_single_message_is_the_same_in_both_ways(
    reader: Callable[[User], Reader], lively: Conversation, alice: User, carol: User, mallory: User
) -> None:
    for id in [*Message.objects.filter(conversation=lively).values_list("pk", flat=True), lively.pk]:
        for person in (alice, carol, mallory):
            for path in (f"/api/v1/messages/{id}", f"/api/v1/messages/{id}?x=1"):
                reader(person).same(path)


def test_a_plain_read_needs_no_thread(reader: Callable[[User], Reader], group: Conversation, alice: User) -> None:
    one, plain = reader(alice), {"Accept-Encoding": "identity"}
    one.get(path_of(group), **plain)
    before = one.hops()
    for query in ("", "limit=2", "before=5", "after=1"):
        assert one.get(path_of(group, query), **plain).is_success
    assert one.hops() - before < 4
    one.get(path_of(group), **plain, **BY_VIEW_SET)
    assert one.hops() > before


def test_what_is_kept_follows_every_change(
    reader: Callable[[User], Reader], conversation: Conversation, alice: User, bob: User
) -> None:
    one, said = reader(alice), UUID(say(bob, conversation, "First")["id"])
    changes: list[Callable[[], object]] = [
        lambda: edit_message(by=bob, message_id=said, text="Second"),
        lambda: add_reaction(by=alice, message_id=said, emoji="👍"),
        lambda: delete_message(by=bob, message_id=said),
    ]
    for change in changes:
        one.same(path_of(conversation))
        change()
        one.same(path_of(conversation))


def test_nobody_reads_what_they_may_not(
    reader: Callable[[User], Reader], lively: Conversation, alice: User, bob: User
) -> None:
    """Each of these takes something away after it was read and kept."""
    one = reader(bob)
    whole = one.same(path_of(lively)).json()["data"]
    Conversation.objects.filter(pk=lively.pk).update(min_position=whole[2]["position"])
    assert [each["id"] for each in one.same(path_of(lively)).json()["data"]] == [each["id"] for each in whole[3:]]
    old = timezone.now() - timedelta(days=91)
    Message.objects.filter(pk=whole[3]["id"]).update(created_at=old)
    assert [each["id"] for each in one.same(path_of(lively)).json()["data"]] == [each["id"] for each in whole[4:]]
    Participant.objects.filter(conversation=lively, user=bob).update(reads="addressed")
    seen = one.same(path_of(lively)).json()["data"]
    assert {each["kind"] for each in seen if each["sender_id"] != str(bob.pk)} == {"notice"}
    remove_member(by=alice, conversation_id=lively.pk, user_id=bob.pk)
    assert one.same(path_of(lively)).status_code == httpx.codes.NOT_FOUND


def test_who_is_not_signed_in_any_more_reads_nothing(
    reader: Callable[[User], Reader], lively: Conversation, alice: User, bob: User
) -> None:
    ended, suspended = reader(alice), reader(bob)
    for one in (ended, suspended):
        assert one.same(path_of(lively)).is_success
    Session.objects.filter(user=alice).update(ended_at=timezone.now())
    User.objects.filter(pk=bob.pk).update(suspended_at=timezone.now())
    assert ended.get(path_of(lively)).json()["code"] == "session_revoked"
    assert suspended.get(path_of(lively)).json()["code"] == "suspended"
    for wrong in ("Bearer x.y.z", "Bearer", "Basic eDp5"):
        assert ended.get(path_of(lively), Authorization=wrong).status_code == httpx.codes.UNAUTHORIZED


def test_the_use_of_a_session_is_still_written_down(
    reader: Callable[[User], Reader], group: Conversation, alice: User
) -> None:
    one, long_ago = reader(alice), timezone.now() - timedelta(hours=1)
    one.get(path_of(group))
    Session.objects.filter(user=alice).update(last_seen_at=long_ago)
    one.get(path_of(group))
    assert Session.objects.get(user=alice).last_seen_at > long_ago + timedelta(minutes=59)


def test_after_a_restore_nothing_that_was_kept_is_shown(
    reader: Callable[[User], Reader], conversation: Conversation, alice: User
) -> None:
    """A restore may bring the same version of a message with another content."""
    one, said = reader(alice), say(alice, conversation, "Before")
    other = say(alice, conversation, "After")
    one.same(path_of(conversation))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_message SET reply_to_id = %s WHERE id = %s", [other["id"], said["id"]])
    raise_generation()
    until_noticed()
    assert one.same(path_of(conversation)).json()["data"][0]["reply_to_id"] == other["id"]
