"""The cleanup of media: what is unused goes, the objects before the row; what someone can still read stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import User
from chatproject.core.errors import Unavailable
from conversations.groups import delete_group
from messaging.media import processing, processing_queue
from messaging.media.cleanup import delete_orphaned_objects, delete_unused_media
from messaging.media.storage import MediaStorage, media_storage
from messaging.models import Attachment, Blob
from messaging.retention.purge import forget_conversation
from tests.messaging.media.conftest import LONG_AGO, begin, objects, put, send
from tests.support import samples
from tests.support.ids import minted
from tests.support.partial_storage import storage_that_keeps_objects
from tests.support.together import on_own_connection

Phone = Callable[[User], httpx.Client]


def test_media_that_is_not_sent_in_a_day_is_deleted(phone: Phone, alice: User, picture: Any) -> None:
    put(begin(phone(alice), b"x", "a.txt", "text/plain").json()["data"]["upload"], b"x")
    assert (delete_unused_media(), len(objects())) == (0, 3)
    Attachment.objects.update(created_at=timezone.now() - LONG_AGO)
    assert (delete_unused_media(), objects()) == (2, [])
    assert not Attachment.objects.exists()
    assert not Blob.objects.exists()
    assert phone(alice).get(f"/media/{picture['id']}/state").status_code == 404


def test_sent_media_stays_until_its_message_is_deleted(
    phone: Phone, alice: User, conversation: Any, picture: Any
) -> None:
    message = send(phone(alice), conversation, picture).json()["data"]
    Attachment.objects.update(created_at=timezone.now() - LONG_AGO)
    assert delete_unused_media() == 0
    phone(alice).delete(f"/messages/{message['id']}")
    assert (delete_unused_media(), objects()) == (1, [])


def test_expired_media_is_deleted(phone: Phone, alice: User, conversation: Any, picture: Any) -> None:
    send(phone(alice), conversation, picture)
    Attachment.objects.update(message_id=minted(-timedelta(days=91)))
    assert (delete_unused_media(), objects()) == (1, [])


def test_media_is_deleted_with_its_group(phone: Phone, alice: User, group: Any, picture: Any) -> None:
    send(phone(alice), group, picture)
    delete_group(by=alice, conversation_id=group.pk)
    forget_conversation(group.pk)
    assert (delete_unused_media(), objects()) == (1, [])


@pytest.mark.parametrize("kind", [{}, {"kind": "image"}])
def test_a_repeated_send_after_deletion_and_cleanup_is_the_tombstone(
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


@pytest.mark.parametrize(
    "failing", [partial(nullcontext, "http://127.0.0.1:9"), storage_that_keeps_objects], ids=["away", "keeps objects"]
)
def test_an_interrupted_deletion_makes_media_unavailable_and_is_completed_later(
    failing: Callable[[], Any], phone: Phone, alice: User, conversation: Any, picture: Any, settings: Any
) -> None:
    Attachment.objects.update(created_at=timezone.now() - LONG_AGO)
    with failing() as url, pytest.MonkeyPatch.context() as away:
        options = {**settings.STORAGES["default"]["OPTIONS"], "endpoint_url": url}
        away.setattr("messaging.media.cleanup.media_storage", lambda: MediaStorage(**options))
        with pytest.raises(Unavailable):
            delete_unused_media()
    assert (len(objects()), Attachment.objects.count(), Blob.objects.count()) == (2, 1, 0)
    assert send(phone(alice), conversation, picture).status_code == 422
    assert phone(alice).get(f"/media/{picture['id']}").status_code == 404
    assert delete_orphaned_objects() == 0
    assert (delete_unused_media(), objects(), Attachment.objects.count()) == (1, [], 0)


def test_an_upload_deleted_during_its_examination_leaves_no_objects(
    phone: Phone, alice: User, monkeypatch: Any
) -> None:
    data = samples.picture()
    said = begin(phone(alice), data, "a.jpg", "image/jpeg").json()["data"]
    put(said["upload"], data)
    examine = processing._examine_copy

    def examine_during_cleanup(attachment: Attachment) -> Blob:
        # The cleanup runs before the last object is stored.
        Attachment.objects.update(created_at=timezone.now() - LONG_AGO)
        with ThreadPoolExecutor(1) as other:
            assert other.submit(on_own_connection, delete_unused_media).result() == 1
        storage.copy_object(spare, attachment.key, content_type="image/jpeg")
        return examine(attachment)

    monkeypatch.setattr(processing, "_examine_copy", examine_during_cleanup)
    attachment = Attachment.objects.get()
    storage, spare = media_storage(), "media/spare"
    storage.copy_object(attachment.upload_key, spare, content_type="image/jpeg")
    assert processing_queue.enqueue(attachment, key="media/gone")
    processing.process(attachment.pk)
    assert (Blob.objects.count(), objects()) == (0, [spare])


def test_orphaned_objects_are_deleted_after_a_day(monkeypatch: Any, phone: Phone, alice: User, picture: Any) -> None:
    put(begin(phone(alice), b"x", "a.txt", "text/plain").json()["data"]["upload"], b"x")
    storage = media_storage()
    known = set(objects())
    storage.copy_object(next(iter(known)), "media/lost", content_type="image/png")
    storage.copy_object(next(iter(known)), "media/lost.thumbnail", content_type="image/png")
    assert delete_orphaned_objects() == 0
    monkeypatch.setattr("messaging.media.cleanup.UNSENT_LIFETIME", timedelta(0))
    assert delete_orphaned_objects() == 2
    assert set(objects()) == known
