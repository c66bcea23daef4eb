"""What nobody will get any more goes, objects first; what is sent on stays as long as anyone has it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from uuid_utils.compat import uuid7

from accounts.models import User
from chatproject.core.errors import Unavailable
from conversations.creation import start_direct
from conversations.groups import delete_group
from conversations.models import Conversation
from messaging.jobs import look_at_next
from messaging.media import processing, processing_queue
from messaging.media.cleanup import delete_orphaned_objects, delete_unused_media
from messaging.media.processing_queue import LEASE, add_missing_jobs
from messaging.media.storage import MediaStorage, media_storage
from messaging.media.uploads import upload_state
from messaging.models import Attachment, Blob
from messaging.retention.purge import forget_conversation
from tests.messaging.media.conftest import begin, download, put, upload
from tests.messaging.media.test_sending import send
from tests.support import samples
from tests.support.ids import minted
from tests.support.together import ended_together, on_own_connection

Phone = Callable[[User], httpx.Client]
LONG_AGO = timedelta(hours=25)


@pytest.fixture
def picture(phone: Phone, alice: User) -> dict[str, Any]:
    """A picture of Alice's that is ready."""
    return upload(phone(alice), samples.picture())


@pytest.fixture
def elsewhere(bob: User, mallory: User) -> Conversation:
    """Where Bob talks to somebody else."""
    return start_direct(by=bob, to=mallory)[0]


def objects() -> list[str]:
    return [key for key, _ in media_storage().list_objects()]


def forward(app: httpx.Client, message: dict[str, Any], to: Conversation, **fields: Any) -> httpx.Response:
    return app.post("/messages", json={"conversation_id": str(to.pk), "forward_of_id": message["id"], **fields})


def test_what_was_not_sent_in_a_day_goes(phone: Phone, alice: User, picture: Any) -> None:
    put(begin(phone(alice), b"x", "a.txt", "text/plain").json()["data"]["upload"], b"x")
    assert (delete_unused_media(), len(objects())) == (0, 3)
    Attachment.objects.update(created_at=timezone.now() - LONG_AGO)
    assert (delete_unused_media(), objects()) == (2, [])
    assert not Attachment.objects.exists()
    assert not Blob.objects.exists()
    assert phone(alice).get(f"/media/{picture['id']}/state").status_code == 404


def test_what_was_sent_stays_and_goes_with_its_message(
    phone: Phone, alice: User, conversation: Any, picture: Any
) -> None:
    message = send(phone(alice), conversation, picture).json()["data"]
    Attachment.objects.update(created_at=timezone.now() - LONG_AGO)
    assert delete_unused_media() == 0
    phone(alice).delete(f"/messages/{message['id']}")
    assert (delete_unused_media(), objects()) == (1, [])


def test_what_is_too_old_goes(phone: Phone, alice: User, conversation: Any, picture: Any) -> None:
    send(phone(alice), conversation, picture)
    Attachment.objects.update(message_id=minted(-timedelta(days=91)))
    assert (delete_unused_media(), objects()) == (1, [])


def test_it_goes_with_its_group(phone: Phone, alice: User, group: Any, picture: Any) -> None:
    send(phone(alice), group, picture)
    delete_group(by=alice, conversation_id=group.pk)
    forget_conversation(group.pk)
    assert (delete_unused_media(), objects()) == (1, [])


def test_a_picture_is_sent_on_and_outlives_the_first(
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


@pytest.mark.parametrize("kind", [{}, {"kind": "image"}])
def test_a_repeat_of_what_was_deleted_and_cleared_is_the_tombstone(
    kind: dict[str, str], phone: Phone, alice: User, conversation: Any, picture: Any
) -> None:
    id = str(uuid7())
    send(phone(alice), conversation, picture, id=id, **kind)
    phone(alice).delete(f"/messages/{id}")
    delete_unused_media()
    again = send(phone(alice), conversation, picture, id=id, **kind)
    assert again.status_code == 200
    assert again.json()["data"]["deleted_at"]
    anew = send(phone(alice), conversation, picture, **kind)
    assert (anew.status_code, anew.json()["errors"][0]["pointer"]) == (422, "/media")


def test_sending_on_again_is_the_same_message(
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


def test_only_what_one_may_read_is_sent_on(
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
def test_a_message_is_sent_on_to_a_person(
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


def test_nothing_begins_where_nothing_can_be_sent_on(
    phone: Phone, alice: User, bob: User, mallory: User, conversation: Any
) -> None:
    said = phone(alice).post("/messages", json={"conversation_id": str(conversation.pk), "text": "Hi"}).json()["data"]
    to = {"receiver_id": str(bob.pk), "forward_of_id": said["id"]}
    assert phone(mallory).post("/messages", json=to).status_code == 422
    assert phone(alice).post("/messages", json={**to, "receiver_id": str(alice.pk)}).status_code == 422
    taken = {**to, "id": said["id"], "receiver_id": str(mallory.pk)}
    assert phone(alice).post("/messages", json=taken).json()["code"] == "id_conflict"
    assert not phone(mallory).get("/conversations").json()["data"]


def test_sending_on_while_it_is_cleared_up_is_one_or_the_other(
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


def test_what_is_cut_short_between_row_and_objects_is_out_of_reach_and_done_again(
    phone: Phone, alice: User, conversation: Any, picture: Any, settings: Any
) -> None:
    Attachment.objects.update(created_at=timezone.now() - LONG_AGO)
    options = {**settings.STORAGES["default"]["OPTIONS"], "endpoint_url": "http://127.0.0.1:9"}
    with pytest.MonkeyPatch.context() as away:
        away.setattr("messaging.media.cleanup.media_storage", lambda: MediaStorage(**options))
        with pytest.raises(Unavailable):
            delete_unused_media()
    assert (len(objects()), Attachment.objects.count(), Blob.objects.count()) == (2, 1, 0)
    assert send(phone(alice), conversation, picture).status_code == 422
    assert phone(alice).get(f"/media/{picture['id']}").status_code == 404
    assert delete_orphaned_objects() == 0
    assert (delete_unused_media(), objects(), Attachment.objects.count()) == (1, [], 0)


def test_what_is_sent_on_before_the_row_goes_keeps_its_objects(
    phone: Phone, alice: User, bob: User, mallory: User, conversation: Any, elsewhere: Any, picture: Any
) -> None:
    first = send(phone(alice), conversation, picture).json()["data"]
    copy = forward(phone(bob), first, elsewhere).json()["data"]["media"][0]
    phone(alice).delete(f"/messages/{first['id']}")
    assert (delete_unused_media(), len(objects())) == (1, 2)
    assert download(phone(mallory), copy).status_code == 200


def test_what_is_cleared_up_while_it_is_looked_at_leaves_nothing(phone: Phone, alice: User, monkeypatch: Any) -> None:
    data = samples.picture()
    said = begin(phone(alice), data, "a.jpg", "image/jpeg").json()["data"]
    put(said["upload"], data)
    look = processing._examine_copy

    def look_while_it_goes(attachment: Attachment) -> Blob:
        # It is cleared up before the last of it is stored.
        Attachment.objects.update(created_at=timezone.now() - LONG_AGO)
        with ThreadPoolExecutor(1) as other:
            assert other.submit(on_own_connection, delete_unused_media).result() == 1
        storage.copy_object(spare, attachment.key, content_type="image/jpeg")
        return look(attachment)

    monkeypatch.setattr(processing, "_examine_copy", look_while_it_goes)
    attachment = Attachment.objects.get()
    storage, spare = media_storage(), "media/spare"
    storage.copy_object(attachment.upload_key, spare, content_type="image/jpeg")
    assert processing_queue.enqueue(attachment, key="media/gone")
    processing.process(attachment.pk)
    assert (Blob.objects.count(), objects()) == (0, [spare])


def test_what_nothing_refers_to_goes_once_it_is_a_day_old(
    monkeypatch: Any, phone: Phone, alice: User, picture: Any
) -> None:
    put(begin(phone(alice), b"x", "a.txt", "text/plain").json()["data"]["upload"], b"x")
    storage = media_storage()
    known = set(objects())
    storage.copy_object(next(iter(known)), "media/lost", content_type="image/png")
    storage.copy_object(next(iter(known)), "media/lost.thumbnail", content_type="image/png")
    assert delete_orphaned_objects() == 0
    monkeypatch.setattr("messaging.media.cleanup.UNSENT_LIFETIME", timedelta(0))
    assert delete_orphaned_objects() == 2
    assert set(objects()) == known


@pytest.mark.parametrize("field", ["due_at", "taken_at"], ids=["by this version", "by the one before"])
def test_what_was_left_half_looked_at_is_looked_at_later(phone: Phone, alice: User, field: str) -> None:
    data = samples.picture()
    said = begin(phone(alice), data, "a.jpg", "image/jpeg").json()["data"]
    put(said["upload"], data)
    stuck = {"state": Attachment.State.PROCESSING, "key": "media/stuck"}
    Attachment.objects.update(**stuck, **{field: timezone.now() + (LEASE if field == "due_at" else timedelta(0))})
    add_missing_jobs()
    id = UUID(said["media"]["id"])
    assert not ProcrastinateJob.objects.exists()
    look_at_next()
    assert upload_state(by=alice, media_id=id)["state"] == "processing"
    Attachment.objects.update(**{field: timezone.now() - timedelta(minutes=11)})
    for _ in range(2):
        add_missing_jobs()
    assert ProcrastinateJob.objects.get().task_name == look_at_next.name
    look_at_next()
    assert upload_state(by=alice, media_id=id)["state"] == "ready"
