"""REST as the door to groups: what answers what, and how a no sounds."""

from typing import Any

import httpx
import pytest

from accounts.models import User
from conversations.groups import remove_member
from conversations.models import Conversation
from tests.doors.conftest import Rest


def data(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def path(group: Conversation) -> str:
    return f"/conversations/{group.pk}"


def test_a_group_is_changed_and_shown(rest: Rest, alice: User, path: str) -> None:
    changes = {"name": " Orchard ", "description": "Apples", "history": "shared"}
    shown = data(rest(alice).patch(path, json=changes))
    assert {name: shown[name] for name in changes} == {**changes, "name": "Orchard"}
    said = data(rest(alice).get(f"/messages/conversation/{shown['id']}"))
    assert said[-1]["notice"]["event"] == "renamed"
    assert shown["last_message"] is None


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"name": "x" * 101}, {"name": 5}, {"name": None}, {"description": "x" * 501}, {"history": "all"}],
    ids=repr,
)
def test_a_change_that_is_not_right_is_named(rest: Rest, alice: User, path: str, change: dict[str, Any]) -> None:
    answer = rest(alice).patch(path, json=change)
    assert code(answer) == (400, "invalid")
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/{next(iter(change))}"]


def test_people_come_rise_and_go(rest: Rest, alice: User, bob: User, mallory: User, path: str) -> None:
    client = rest(alice)
    shown = data(client.post(f"{path}/participants", json={"users": [{"username": "mallory"}, {"id": str(bob.pk)}]}))
    assert shown["participant_count"] == 4
    risen = data(client.patch(f"{path}/participants/{mallory.pk}", json={"role": "admin"}))
    assert (risen["user"]["username"], risen["role"]) == ("mallory", "admin")
    gone = client.delete(f"{path}/participants/{bob.pk}")
    assert (gone.status_code, gone.content) == (204, b"")
    listed = rest(mallory).get(f"{path}/participants", params={"limit": 2}).json()
    assert [each["user"]["username"] for each in listed["data"]] == ["alice", "carol"]
    rest_of_it = rest(mallory).get(f"{path}/participants", params={"cursor": listed["pagination"]["next"]}).json()
    assert [each["role"] for each in rest_of_it["data"]] == ["admin"]


def test_a_group_is_handed_over_left_and_deleted(rest: Rest, alice: User, bob: User, path: str) -> None:
    client = rest(alice)
    assert code(client.post(f"{path}/leave")) == (409, "conflict")
    handed = data(client.post(f"{path}/transfer", json={"to": {"username": "bob"}}))
    assert (handed["owner_id"], handed["me"]["role"]) == (str(bob.pk), "admin")
    assert client.post(f"{path}/leave").status_code == 204
    assert code(client.get(path)) == (404, "not_found")
    assert rest(bob).delete(path).status_code == 204
    assert code(rest(bob).get(path)) == (404, "not_found")


def test_a_link_shows_its_token_once_and_lets_people_in(rest: Rest, alice: User, mallory: User, path: str) -> None:
    client = rest(alice)
    made = data(client.post(f"{path}/invite-links", json={"expires_at": "2999-01-01T00:00:00+01:00"}), 201)
    assert made.keys() == {"id", "token", "url", "expires_at", "max_uses", "uses", "created_at"}
    assert made["url"].endswith(f"/join/{made['token']}")
    assert made["expires_at"] == "2998-12-31T23:00:00.000Z"
    joined = data(rest(mallory).post(f"/invite-links/{made['token']}/accept"))
    assert (joined["id"], joined["me"]["role"]) == (path.rpartition("/")[2], "member")
    (listed,) = data(client.get(f"{path}/invite-links"))
    assert listed == {**made, "token": None, "url": None, "uses": 1}
    for _ in range(2):
        assert client.delete(f"{path}/invite-links/{made['id']}").status_code == 204
    remove_member(by=alice, conversation_id=joined["id"], user_id=mallory.pk)
    assert code(rest(mallory).post(f"/invite-links/{made['token']}/accept")) == (410, "gone")
    assert code(rest(mallory).post("/invite-links/nothing/accept")) == (404, "not_found")


ACTS: list[tuple[str, str, Any]] = [
    ("PATCH", "", {"name": "New"}),
    ("POST", "/participants", {"users": [{"username": "mallory"}]}),
    ("PATCH", "/participants/{carol}", {"role": "admin"}),
    ("DELETE", "/participants/{carol}", None),
    ("POST", "/transfer", {"to": {"username": "carol"}}),
    ("GET", "/invite-links", None),
    ("POST", "/invite-links", {}),
    ("DELETE", "/invite-links/{carol}", None),
    ("DELETE", "", None),
]


@pytest.mark.parametrize(("method", "end", "body"), ACTS, ids=lambda it: it if isinstance(it, str) else "")
def test_a_stranger_finds_nothing_a_member_may_not_and_two_people_are_no_group(
    rest: Rest,
    conversation: Conversation,
    path: str,
    alice: User,
    bob: User,
    carol: User,
    mallory: User,
    method: str,
    end: str,
    body: Any,
) -> None:
    end = end.format(carol=carol.pk)
    assert code(rest(mallory).request(method, path + end, json=body)) == (404, "not_found")
    assert code(rest(bob).request(method, path + end, json=body)) == (403, "not_allowed")
    assert code(rest(alice).request(method, f"/conversations/{conversation.pk}{end}", json=body)) == (409, "conflict")


def test_the_members_of_two_are_listed_too(rest: Rest, conversation: Conversation, alice: User) -> None:
    listed = data(rest(alice).get(f"/conversations/{conversation.pk}/participants"))
    assert [each["user"]["username"] for each in listed] == ["alice", "bob"]
