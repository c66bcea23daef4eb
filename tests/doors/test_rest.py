"""REST as a door: the envelope, pages, and what the server says of itself."""

from datetime import datetime
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.creation import create_group
from conversations.models import Conversation
from messaging.messages.send import send_message
from messaging.models import Message
from tests.doors.conftest import Rest


def message(conversation: Conversation, **fields: Any) -> dict[str, Any]:
    return {"id": str(uuid7()), "conversation_id": str(conversation.pk), "text": "Hi"} | fields


def test_a_message_comes_back_in_an_envelope(rest: Rest, alice: User, conversation: Conversation) -> None:
    said = message(conversation)
    answer = rest(alice).post("/messages", json=said)
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["data"].items() >= {**said, "position": 1, "sender_id": str(alice.pk)}.items()


def test_saying_it_again_is_the_same_message(rest: Rest, alice: User, conversation: Conversation) -> None:
    client, said = rest(alice), message(conversation)
    first, again = client.post("/messages", json=said), client.post("/messages", json=said)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Message.objects.count() == 1


@pytest.mark.parametrize("other", [{"text": "Ho"}, {"reply_to_id": "first"}, {"conversation_id": "group"}])
def test_saying_something_else_under_the_same_id_is_a_conflict(
    rest: Rest, alice: User, conversation: Conversation, group: Conversation, other: dict[str, str]
) -> None:
    client, said = rest(alice), message(conversation)
    first = client.post("/messages", json=message(conversation)).json()["data"]["id"]
    client.post("/messages", json=said)
    names = {"first": first, "group": str(group.pk)}
    answer = client.post("/messages", json=said | {name: names.get(value, value) for name, value in other.items()})
    assert (answer.status_code, answer.json()["code"]) == (409, "id_conflict")
    assert answer.json()["errors"][0]["pointer"] == "/id"
    assert Message.objects.exclude(kind="notice").count() == 2


def test_a_message_to_a_person_opens_the_conversation(rest: Rest, alice: User, mallory: User) -> None:
    client, said = rest(alice), {"receiver_id": str(mallory.pk), "text": "Hello there", "id": str(uuid7())}
    first, again = client.post("/messages", json=said), client.post("/messages", json=said)
    assert (first.status_code, again.status_code) == (201, 200)
    shown = rest(mallory).get(f"/messages/friend/{alice.pk}").json()["data"]
    assert [each["text"] for each in shown] == ["Hello there"]


def test_a_direct_conversation_is_made_once(rest: Rest, alice: User, bob: User) -> None:
    first = rest(alice).post("/conversations", json={"kind": "direct", "to": {"username": "bob"}})
    again = rest(bob).post("/conversations", json={"kind": "direct", "to": {"id": str(alice.pk)}})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["data"]["id"] == again.json()["data"]["id"]
    assert (first.json()["data"]["name"], again.json()["data"]["name"]) == ("Bob", "Alice")


def test_a_group_shows_who_is_in_it(rest: Rest, alice: User, bob: User, carol: User) -> None:
    people = [{"username": "bob"}, {"id": str(carol.pk)}, {"username": "alice"}]
    answer = rest(alice).post("/conversations", json={"kind": "group", "name": " Garden ", "participants": people})
    made = answer.json()["data"]
    assert answer.status_code == 201
    assert (made["name"], made["owner_id"], made["participant_count"]) == ("Garden", str(alice.pk), 3)
    assert rest(bob).get(f"/conversations/{made['id']}").json()["data"]["me"]["role"] == "member"


def test_reading_moves_the_marks_and_never_back(rest: Rest, bob: User, alice: User, conversation: Conversation) -> None:
    for _ in range(3):
        send_message(by=alice, conversation_id=conversation.pk, text="Hi")
    client, path = rest(bob), f"/conversations/{conversation.pk}/read"
    for through, reached in ((2, 2), (1, 2), (99, 3)):
        marks = client.post(path, json={"through": through})
        assert marks.json() == {"data": {"delivered_through": reached, "read_through": reached}}


def test_a_page_has_at_most_a_hundred_items(rest: Rest, alice: User, conversation: Conversation) -> None:
    for n in range(101):
        send_message(by=alice, conversation_id=conversation.pk, text=str(n))
    client, path = rest(alice), f"/messages/conversation/{conversation.pk}"
    limits = ("1", "007", "100", "1000", "9" * 30)
    lengths = [len(client.get(path, params={"limit": limit}).json()["data"]) for limit in limits]
    assert lengths == [1, 7, 100, 100, 100]
    assert len(client.get(path).json()["data"]) == 50


@pytest.mark.parametrize(("side", "first"), [("before", [5, 6]), ("after", [1, 2])])
def test_history_is_walked_page_by_page(
    rest: Rest, alice: User, conversation: Conversation, side: str, first: list[int]
) -> None:
    for n in range(6):
        send_message(by=alice, conversation_id=conversation.pk, text=str(n))
    pages = list(walk(rest(alice), f"/messages/conversation/{conversation.pk}", side, 0 if side == "after" else None))
    assert pages[0] == first
    assert sorted(position for page in pages for position in page) == [1, 2, 3, 4, 5, 6]


def walk(client: httpx.Client, path: str, side: str, place: int | None) -> Any:
    while True:
        asked = {"limit": 2} | ({} if place is None else {side: place})
        page = client.get(path, params=asked).json()
        yield [each["position"] for each in page["data"]]
        place = page["pagination"]["next"]
        assert page["pagination"]["has_more"] == (place is not None)
        if place is None:
            return


def test_a_page_around_a_position_has_it_in_the_middle(rest: Rest, alice: User, conversation: Conversation) -> None:
    for n in range(9):
        send_message(by=alice, conversation_id=conversation.pk, text=str(n))
    page = rest(alice).get(f"/messages/conversation/{conversation.pk}", params={"around": 5, "limit": 4}).json()
    assert [each["position"] for each in page["data"]] == [3, 4, 5, 6]


def test_the_inbox_is_walked_by_cursors(rest: Rest, alice: User) -> None:
    made = [create_group(by=alice, name=f"Group {n}").name for n in range(5)]
    client, seen, cursor = rest(alice), [], None
    while True:
        page = client.get("/conversations", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [each["name"] for each in page["data"]]
        cursor = page["pagination"]["next"]
        if not page["pagination"]["has_more"]:
            break
    assert seen == made[::-1]
    assert cursor is None


@pytest.mark.parametrize(
    "path",
    [
        "/messages/{message}",
        "/conversations/{conversation}",
        "/messages/conversation/{conversation}",
        "/messages/friend/{bob}",
    ],
)
def test_a_stranger_finds_nothing(
    rest: Rest, alice: User, bob: User, mallory: User, conversation: Conversation, path: str
) -> None:
    said = send_message(by=alice, conversation_id=conversation.pk, text="Hi").message
    path = path.format(message=said["id"], conversation=conversation.pk, bob=bob.pk)
    assert rest(alice).get(path).status_code == 200
    answer = rest(mallory).get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/conversations",
        "/auth/sessions",
        "/messages/conversation/{conversation}",
    ],
)
def test_what_is_personal_stays_in_no_cache(rest: Rest, alice: User, conversation: Conversation, path: str) -> None:
    assert "no-store" in rest(alice).get(path.format(conversation=conversation.pk)).headers["Cache-Control"]


def test_a_request_keeps_the_id_that_a_proxy_gave_it(rest: Rest) -> None:
    given = rest().get("/server", headers={"X-Request-ID": "from-the-proxy-1"})
    forged = rest().get("/server", headers={"X-Request-ID": "<script>"})
    assert given.headers["X-Request-ID"] == "from-the-proxy-1"
    assert forged.headers["X-Request-ID"] not in {"", "<script>"}


def test_the_server_tells_everyone_what_it_is(rest: Rest) -> None:
    answer = rest().get("/server")
    said = answer.json()["data"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert said.keys() >= {"name", "version", "feature_level", "features", "generation", "time", "limits"}
    assert (
        said["limits"].items()
        >= {"text": 16_000, "group_members": 1000, "edit_seconds": 86_400, "frame_bytes": 65_536}.items()
    )
    assert abs((datetime.now().astimezone() - datetime.fromisoformat(said["time"])).total_seconds()) < 60


def test_the_server_lives_and_is_ready(server: Any) -> None:
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    ready = httpx.get(f"{server.url}/readyz")
    assert (ready.status_code, set(ready.json().values())) == (200, {True})


def test_an_answer_is_in_one_language(rest: Rest, alice: User) -> None:
    app = rest(alice, **{"Accept-Language": "de"})
    answer = app.post("/auth/password", json={"old_password": "x", "new_password": "x"}).json()
    nobody = rest(None, **{"Accept-Language": "de"}).get("/users/me").json()
    for said in (answer, nobody):
        assert not {"Dieses", "Anmeldedaten", "Bitte"} & set(str(said).replace("'", " ").split()), said
