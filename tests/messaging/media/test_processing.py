"""Processing: large uploads are examined by jobs, and an examination that was cut short is resumed."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from messaging.jobs import look_at_next
from messaging.media.processing import process
from messaging.media.processing_queue import LEASE, add_missing_jobs
from messaging.media.storage import media_storage
from messaging.media.uploads import complete_upload, upload_state
from messaging.models import Attachment
from tests.messaging.media.conftest import begin, download, put
from tests.support import samples
from tests.support.client import Client

Phone = Callable[[User], httpx.Client]
App = Callable[[User], Awaitable[Client]]


async def test_a_large_upload_is_examined_by_a_job_and_its_owner_receives_the_result(
    app: App, phone: Phone, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.media.processing.INLINE_BYTES", 10)

    def complete() -> Any:
        data = samples.picture()
        said = begin(phone(alice), data, "a.jpg", "image/jpeg").json()["data"]
        put(said["upload"], data)
        return complete_upload(by=alice, media_id=UUID(said["media"]["id"]))

    async with (await app(alice)).socket() as mine, (await app(bob)).socket() as theirs:
        shown = await sync_to_async(complete)()
        assert (shown["state"], shown["url"]) == ("processing", None)
        (job,) = [job async for job in ProcrastinateJob.objects.filter(task_name="messaging.jobs.look_at_next")]
        assert (job.queue_name, job.args) == ("media", {})
        await sync_to_async(look_at_next)()
        heard = await mine.next("media.updated")
        assert (heard["id"], heard["state"], heard["width"]) == (shown["id"], "ready", 480)
        assert await theirs.silence("media.updated")
        await sync_to_async(process)(UUID(shown["id"]))


@pytest.mark.parametrize("is_moved", [False, True])
def test_an_examination_that_was_cut_short_is_resumed(phone: Phone, begun: Any, alice: User, is_moved: bool) -> None:
    """A process died before or after it moved the object, and published nothing."""
    put(begun["upload"], samples.picture())
    attachment, storage = Attachment.objects.get(), media_storage()
    attachment.state, attachment.key = Attachment.State.PROCESSING, "media/elsewhere"
    attachment.save()
    if is_moved:
        storage.copy_object(attachment.upload_key, attachment.key, content_type="image/jpeg")
        storage.delete_objects([attachment.upload_key])
    process(attachment.pk)
    assert download(phone(alice), upload_state(by=alice, media_id=attachment.pk)).status_code == 200


@pytest.mark.parametrize("field", ["due_at", "taken_at"], ids=["by this version", "by the one before"])
def test_an_upload_that_was_left_half_examined_is_examined_later(phone: Phone, alice: User, field: str) -> None:
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
