"""REST and the socket as doors to what has changed, and to what is one's own about a conversation."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation
from messaging.messages.send import send_message
from messaging.sync.changes import SyncRound
from tests.doors.conftest import Rest, Stored
from tests.doors.example_calls import NO_CHOICE, NO_MOMENT, UNKNOWN
from tests.doors.problems import assert_problem, pointers
from tests.support.client import Client

App = Callable[[User], Awaitable[Client]]

NO_TRUTH = [0, 1, "true", "", None, [], {}]


def say(by: User, conversation: Conversation, text: str = "Hi") -> None:
    send_message(by=by, conversation_id=conversation.pk, text=text)


# What is one's own


def test_what_is_settled_is_answered_with_all_that_is_ones_own(rest: Rest, alice: User, conversation: Any) -> None:
    path = f"/conversations/{conversation.pk}/me"
    settled = {"notify": "none", "muted_until": "2999-01-31T13:00:00+01:00", "pinned": True, "draft": "Dear Bob"}
    answer = rest(alice).patch(path, json={**settled, "nonsense": 5})
    assert answer.status_code == 200
    mine = answer.json()["data"]
    assert mine.items() >= {**settled, "muted_until": "2999-01-31T12:00:00.000Z", "archived": False}.items()
    assert rest(alice).get(f"/conversations/{conversation.pk}").json()["data"]["me"] == mine
    cleared = rest(alice).patch(path, json={"muted_until": None, "draft": None}).json()["data"]
    assert (cleared["muted_until"], cleared["draft"], cleared["pinned"]) == (None, "", True)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("notify", [*NO_CHOICE, "some"]),
        ("muted_until", [*NO_MOMENT, "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "20260131T120000Z"]),
        ("pinned", NO_TRUTH),
        ("archived", NO_TRUTH),
        ("draft", [5, True, [], {}, "x" * 16_001, "a\0b"]),
    ],
)
def test_a_setting_that_is_not_right_is_named_and_nothing_is_settled(
    rest: Rest, stored: Stored, alice: User, conversation: Any, field: str, values: list[Any]
) -> None:
    client, path = rest(alice), f"/conversations/{conversation.pk}/me"
    for value in values:
        good = "archived" if field == "pinned" else "pinned"
        answer = client.patch(path, json={good: True, field: value})
        assert pointers(assert_problem(answer, 400, "invalid")) == [f"/{field}"], value
    mine = client.get(f"/conversations/{conversation.pk}").json()["data"]["me"]
    assert (mine["pinned"], mine["archived"]) == (False, False)


async def test_ones_other_devices_hear_what_is_settled(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    client, hers = await app(bob), await app(alice)
    async with client.socket() as phone, client.socket() as laptop, hers.socket() as other:
        await client.request("PATCH", f"/conversations/{conversation.pk}/me", json={"draft": "Dear Alice"})
        for device in (phone, laptop):
            heard = await device.next("conversation.settings")
            assert (heard["conversation_id"], heard["me"]["draft"]) == (str(conversation.pk), "Dear Alice")
        assert await other.silence("conversation.settings", during=0.1)


# What has changed


def test_the_changes_of_a_conversation_are_walked_by_versions(
    rest: Rest, alice: User, bob: User, conversation: Conversation
) -> None:
    for n in range(5):
        say(bob, conversation, str(n))
    client, path, after, found = rest(alice), f"/conversations/{conversation.pk}/changes", 1, []
    while after is not None:
        answer = client.get(path, params={"after": after, "limit": 2}).json()
        assert answer.keys() == {"data", "pagination"}
        found += [message["text"] for message in answer["data"]["messages"]]
        after = answer["pagination"]["next"]
        assert answer["pagination"]["has_more"] == (after is not None)
    assert found == ["1", "2", "3", "4"]
    assert answer["data"]["conversation"] == client.get(f"/conversations/{conversation.pk}").json()["data"]


def test_everything_new_is_walked_by_cursors(rest: Rest, alice: User, bob: User, conversation: Conversation) -> None:
    client = rest(alice)
    first = client.get("/sync").json()
    assert first["data"].keys() == {"conversations", "removed", "contacts_changed", "me"}
    assert first["pagination"].keys() == {"next", "has_more"}
    assert first["data"]["me"] == client.get("/users/me").json()["data"]
    assert first["data"]["conversations"] == client.get("/conversations").json()["data"]
    say(bob, conversation, "news")
    then = client.get("/sync", params={"cursor": first["pagination"]["next"]}).json()["data"]
    assert [each["last_message"]["text"] for each in then["conversations"]] == ["news"]


def test_a_place_to_go_on_from_that_is_none_is_refused(
    rest: Rest, alice: User, bob: User, conversation: Conversation
) -> None:
    client, path = rest(alice), f"/conversations/{conversation.pk}/changes"
    for asked in ({}, {"after": ""}, {"after": "-1"}, {"after": "x"}, {"after": "1.0"}, {"after": "9" * 30}):
        assert pointers(assert_problem(client.get(path, params=asked), 400, "invalid")) == ["/after"]
    others = rest(bob).get("/sync").json()["pagination"]["next"]
    for cursor in ("x", "\0", others, others + "x"):
        answer = client.get("/sync", params={"cursor": cursor})
        assert pointers(assert_problem(answer, 400, "invalid")) == ["/cursor"]
    moment = timezone.now() - timedelta(days=31)
    old = client.get("/sync", params={"cursor": SyncRound(since=moment, until=moment, generation=1).write(by=alice)})
    assert_problem(old, 410, "gone")


def test_a_stranger_catches_up_with_nothing_and_settles_nothing(
    rest: Rest, mallory: User, conversation: Conversation
) -> None:
    client = rest(mallory)
    for id in (conversation.pk, UNKNOWN):
        assert_problem(client.get(f"/conversations/{id}/changes", params={"after": 0}), 404, "not_found")
        assert_problem(client.patch(f"/conversations/{id}/me", json={"pinned": True}), 404, "not_found")
