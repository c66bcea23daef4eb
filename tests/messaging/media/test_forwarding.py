"""Forwarding: a forwarded message has media of its own on the same objects; its sender can read the first message."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.creation import start_direct
from messaging.media.cleanup import delete_unused_media
from messaging.models import Blob
from tests.messaging.media.conftest import download, forward, objects, send, upload
from tests.support import samples
from tests.support.together import ended_together

Phone = Callable[[User], httpx.Client]


def test_a_forwarded_picture_outlives_the_first_message(
    phone: Phone, alice: User, bob: User, mallory: User, conversation: Any, elsewhere: Any, picture: Any
) -> None:
    first = send(phone(alice), conversation, picture, text="Look").json()["data"]
    second = forward(phone(bob), first, elsewhere).json()["data"]
    assert (second["sender_id"], second["text"], second["kind"]) == (str(bob.pk), "Look", "image")
    (copy,) = second["media"]
    assert copy["id"] != picture["id"]
    assert {**copy, **{name: picture[name] for name in ("id", "url", "thumbnail_url")}} == picture
    assert len(objects()) == 2
    phone(alice).delete(f"/messages/{first['id']}")
    assert delete_unused_media() == 1
    assert download(phone(mallory), copy).status_code == 200
    assert phone(alice).get(copy["url"].removeprefix("/api/v1")).status_code == 404
    phone(bob).delete(f"/messages/{second['id']}")
    assert (delete_unused_media(), objects()) == (1, [])


def test_forwarding_again_is_the_same_message(
    phone: Phone, alice: User, bob: User, conversation: Any, elsewhere: Any, picture: Any
) -> None:
    first, id = send(phone(alice), conversation, picture).json()["data"], str(uuid7())
    sent, again = (forward(phone(bob), first, elsewhere, id=id) for _ in range(2))
    assert (sent.status_code, again.status_code, sent.json()) == (201, 200, again.json())
    phone(alice).delete(f"/messages/{first['id']}")
    assert forward(phone(bob), first, elsewhere, id=id).status_code == 200
    assert forward(phone(bob), first, elsewhere).status_code == 422
    assert (
        phone(bob).post("/messages", json={"conversation_id": str(elsewhere.pk), "id": id, "text": "x"}).status_code
        == 409
    )


def test_only_messages_that_someone_may_read_are_forwarded(
    phone: Phone, alice: User, bob: User, mallory: User, conversation: Any, elsewhere: Any
) -> None:
    said = (
        phone(alice).post("/messages", json={"conversation_id": str(conversation.pk), "text": "Hi @bob"}).json()["data"]
    )
    assert forward(phone(mallory), said, elsewhere).status_code == 422
    assert forward(phone(alice), said, elsewhere).status_code == 404
    assert forward(phone(bob), said, elsewhere, text="x").json()["errors"][0]["pointer"] == "/forward_of_id"
    sent = forward(phone(bob), said, elsewhere).json()["data"]
    assert (sent["text"], sent["mentions"], sent["kind"]) == ("Hi @bob", [], "text")


@pytest.mark.parametrize("is_known", [False, True])
def test_a_message_is_forwarded_to_a_person(
    is_known: bool, phone: Phone, alice: User, bob: User, mallory: User, conversation: Any, picture: Any
) -> None:
    if is_known:
        start_direct(by=bob, to=mallory)
    first = send(phone(alice), conversation, picture, text="Look").json()["data"]
    body = {"id": str(uuid7()), "receiver_id": str(mallory.pk), "forward_of_id": first["id"]}
    sent, again = (phone(bob).post("/messages", json=body) for _ in range(2))
    assert (sent.status_code, again.status_code) == (201, 200)
    assert sent.json() == again.json()
    assert sent.json()["data"]["text"] == "Look"
    assert download(phone(mallory), sent.json()["data"]["media"][0]).status_code == 200


def test_no_conversation_is_created_when_a_forward_is_refused(
    phone: Phone, alice: User, bob: User, mallory: User, conversation: Any
) -> None:
    said = phone(alice).post("/messages", json={"conversation_id": str(conversation.pk), "text": "Hi"}).json()["data"]
    to = {"receiver_id": str(bob.pk), "forward_of_id": said["id"]}
    assert phone(mallory).post("/messages", json=to).status_code == 422
    assert phone(alice).post("/messages", json={**to, "receiver_id": str(alice.pk)}).status_code == 422
    taken = {**to, "id": said["id"], "receiver_id": str(mallory.pk)}
    assert phone(alice).post("/messages", json=taken).json()["code"] == "id_conflict"
    assert not phone(mallory).get("/conversations").json()["data"]


def test_forwarding_during_the_cleanup_succeeds_or_is_refused(
    phone: Phone, alice: User, bob: User, conversation: Any, elsewhere: Any
) -> None:
    app, other = phone(alice), phone(bob)
    for _ in range(5):
        picture = upload(app, samples.picture())
        first = send(app, conversation, picture).json()["data"]
        deletion = partial(app.delete, f"/messages/{first['id']}")
        ended = ended_together(
            partial(forward, other, first, elsewhere), lambda delete=deletion: (delete(), delete_unused_media())
        )
        assert ended[0].result().status_code in {201, 422}
    keys = Blob.objects.values_list("key", flat=True)
    assert sorted(objects()) == sorted([*keys, *(f"{key}.thumbnail" for key in keys)])


def test_the_objects_of_a_forwarded_attachment_survive_the_first_message(
    phone: Phone, alice: User, bob: User, mallory: User, conversation: Any, elsewhere: Any, picture: Any
) -> None:
    first = send(phone(alice), conversation, picture).json()["data"]
    copy = forward(phone(bob), first, elsewhere).json()["data"]["media"][0]
    phone(alice).delete(f"/messages/{first['id']}")
    assert (delete_unused_media(), len(objects())) == (1, 2)
    assert download(phone(mallory), copy).status_code == 200
