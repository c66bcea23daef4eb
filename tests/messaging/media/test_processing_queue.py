"""Whose upload is examined next: people alternate, nobody takes all slots, and no upload is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from chatproject.core import rate_limits
from chatproject.core.errors import Unavailable
from chatproject.core.ids import uuid7
from chatproject.core.rate_limits import quotas
from messaging.jobs import look_at_next
from messaging.media import processing, processing_queue
from messaging.media.upload_quota import quota_cost
from messaging.media.uploads import begin_upload, complete_upload, upload_state
from messaging.models import Attachment
from tests.messaging.media.conftest import begin, put
from tests.support import samples
from tests.support.together import on_own_connection, together

Phone = Callable[[User], httpx.Client]


def wait(owner: User, count: int = 1) -> list[Attachment]:
    """Enqueue some uploads of a person."""
    uploads = [begin_upload(by=owner, filename="a.png", content_type="image/png", size=9) for _ in range(count)]
    found = [Attachment.objects.get(pk=each.media["id"]) for each in uploads]
    assert all(processing_queue.enqueue(each, key=f"media/{each.pk.hex}") for each in found)
    return found


def next_owner() -> User | None:
    found = processing_queue.claim_next()
    return Attachment.objects.select_related("owner").get(pk=found).owner if found else None


def end(*uploads: Attachment) -> None:
    Attachment.objects.filter(pk__in=[each.pk for each in uploads]).update(state="rejected")


def jobs() -> int:
    return ProcrastinateJob.objects.filter(task_name=look_at_next.name, queue_name="media").count()


def test_people_alternate_however_many_uploads_one_of_them_has(alice: User, bob: User) -> None:
    wait(alice, 3)
    wait(bob, 2)
    assert [next_owner() for _ in range(6)] == [alice, bob, alice, bob, alice, None]


def test_a_later_upload_waits_for_one_of_each_person_and_not_for_all(alice: User, bob: User, carol: User) -> None:
    wait(alice, 20)
    wait(bob, 20)
    served = [next_owner() for _ in range(6)]
    wait(carol)
    assert served == [alice, bob] * 3
    assert carol in [next_owner() for _ in range(3)]


def test_someone_with_many_waiting_uploads_is_not_starved_by_newcomers(alice: User, bob: User) -> None:
    wait(alice, 4)
    served = []
    for _ in range(8):
        wait(bob)
        served.append(next_owner())
    assert served.count(alice) == 4


def test_one_person_has_a_limited_number_of_uploads_examined_at_once(alice: User, bob: User) -> None:
    mine, (theirs,) = wait(alice, processing_queue.MAX_PER_OWNER + 1), wait(bob)
    assert [processing_queue.claim(each) for each in mine] == [True] * processing_queue.MAX_PER_OWNER + [False]
    assert processing_queue.claim(theirs)
    end(mine[0])
    assert processing_queue.claim(mine[-1])


def test_others_come_before_someone_who_has_reached_the_limit(alice: User, bob: User) -> None:
    wait(alice, processing_queue.MAX_PER_OWNER + 2)
    for _ in range(processing_queue.MAX_PER_OWNER):
        processing_queue.claim_next()
    wait(bob, 2)
    assert [next_owner() for _ in range(4)] == [bob, bob, alice, alice]


@pytest.mark.usefixtures("committed")
def test_concurrent_claims_get_different_uploads(alice: User) -> None:
    uploads = wait(alice, 6)
    assert set(together(*[processing_queue.claim_next] * 6)) == {each.pk for each in uploads}


@pytest.mark.usefixtures("committed")
def test_concurrent_claims_do_not_exceed_the_limit_of_a_person(alice: User) -> None:
    uploads = wait(alice, 8)
    began = together(*[lambda each=each: processing_queue.claim(each) for each in uploads])
    assert sum(began) == processing_queue.MAX_PER_OWNER


def test_a_failed_upload_is_retried_after_a_growing_pause(alice: User) -> None:
    (upload,) = wait(alice)
    assert processing_queue.claim(upload)
    upload.taken_at = timezone.now() - timedelta(hours=1)
    processing_queue.defer_to_job(upload, has_failed=True)
    upload.refresh_from_db()
    (job,) = ProcrastinateJob.objects.all()
    assert job.scheduled_at == upload.due_at
    assert timedelta(minutes=29) < upload.due_at - timezone.now() < timedelta(minutes=31)
    assert processing_queue.claim_next() is None


# With the real storage


@pytest.fixture
def busy() -> Iterator[None]:
    """All slots of this process are taken."""
    with processing.SLOTS.for_owner(uuid7(), within=0) as one, processing.SLOTS.for_owner(uuid7(), within=0) as other:
        assert one
        assert other
        yield


def uploaded(phone: Phone, owner: User, data: bytes, name: str, content_type: str) -> UUID:
    said = begin(phone(owner), data, name, content_type).json()["data"]
    put(said["upload"], data)
    return UUID(said["media"]["id"])


@pytest.mark.usefixtures("busy")
def test_a_picture_that_finds_no_free_slot_is_left_to_a_job(
    phone: Phone, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "SLOT_WAIT_SECONDS", 0.01)
    id = uploaded(phone, alice, samples.picture(), "a.jpg", "image/jpeg")
    assert (complete_upload(by=alice, media_id=id)["state"], jobs()) == ("processing", 1)
    assert (complete_upload(by=alice, media_id=id)["state"], jobs()) == ("processing", 1)


def test_one_person_does_not_take_all_slots_of_a_process(
    phone: Phone, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "SLOT_WAIT_SECONDS", 0.01)
    mine, theirs = (uploaded(phone, user, samples.picture(), "a.jpg", "image/jpeg") for user in (alice, bob))
    with processing.SLOTS.for_owner(alice.pk, within=0):
        assert complete_upload(by=alice, media_id=mine)["state"] == "processing"
        assert complete_upload(by=bob, media_id=theirs)["state"] == "ready"


@pytest.mark.usefixtures("committed")
def test_a_worker_keeps_a_slot_for_whoever_else_comes(
    phone: Phone, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "SLOT_POLL_SECONDS", 0.01)
    mine, theirs = (uploaded(phone, user, samples.picture(), "a.jpg", "image/jpeg") for user in (alice, bob))
    enter = partial(processing_queue.enqueue, key="media/a")
    assert enter(Attachment.objects.get(pk=mine))
    with processing.SLOTS.for_owner(alice.pk, within=0), ThreadPoolExecutor(1) as worker:
        working = worker.submit(on_own_connection, look_at_next)
        with pytest.raises(TimeoutError):
            working.result(0.5)
        assert enter(Attachment.objects.get(pk=theirs))
        working.result(60)
        assert upload_state(by=bob, media_id=theirs)["state"] == "ready"
        assert upload_state(by=alice, media_id=mine)["state"] == "processing"


@pytest.mark.usefixtures("busy")
def test_a_file_that_is_not_examined_needs_no_slot(phone: Phone, alice: User) -> None:
    wait(alice, processing_queue.MAX_PER_OWNER)
    for _ in range(processing_queue.MAX_PER_OWNER):
        processing_queue.claim_next()
    id = uploaded(phone, alice, b"Hello", "a.txt", "text/plain")
    assert complete_upload(by=alice, media_id=id)["state"] == "ready"


def test_more_uploads_of_one_person_than_the_limit_are_left_to_jobs(phone: Phone, alice: User) -> None:
    wait(alice, processing_queue.MAX_PER_OWNER)
    for _ in range(processing_queue.MAX_PER_OWNER):
        processing_queue.claim_next()
    id = uploaded(phone, alice, samples.picture(), "a.jpg", "image/jpeg")
    assert (complete_upload(by=alice, media_id=id)["state"], jobs()) == ("processing", 1)
    look_at_next()
    assert upload_state(by=alice, media_id=id)["state"] == "ready"


def test_an_upload_that_a_job_cannot_examine_now_waits_for_another_job(
    phone: Phone, alice: User, settings: Any
) -> None:
    settings.SCANNER_URL = "tcp://127.0.0.1:9"
    id = uploaded(phone, alice, samples.picture(), "a.jpg", "image/jpeg")
    with pytest.raises(Unavailable):
        complete_upload(by=alice, media_id=id)
    Attachment.objects.update(due_at=timezone.now())
    look_at_next()
    assert (upload_state(by=alice, media_id=id)["state"], jobs()) == ("processing", 2)
    settings.SCANNER_URL = ""
    Attachment.objects.update(due_at=timezone.now())
    look_at_next()
    assert upload_state(by=alice, media_id=id)["state"] == "ready"


def test_the_stored_size_counts_if_it_is_larger_than_the_upload(phone: Phone, alice: User, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    data = samples.noise()
    id = uploaded(phone, alice, data, "a.jpg", "image/jpeg")
    asked = [(quotas.uploads(settings.UPLOAD_BYTES_A_DAY), alice.pk)]
    rate_limits.consume(asked, cost=quota_cost(len(data)))
    before = rate_limits.consume(asked, cost=0).remaining
    shown = complete_upload(by=alice, media_id=id)
    more = shown["size"] // 1024 - quota_cost(len(data))
    assert more > 100
    assert before - rate_limits.consume(asked, cost=0).remaining >= more


def test_an_accepted_upload_is_counted_even_beyond_the_daily_quota(alice: User, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    asked = [(quotas.uploads(10 * 1024), alice.pk)]
    rate_limits.consume_unchecked(asked, cost=15)
    verdict = rate_limits.consume(asked)
    assert not verdict.allowed
    # The quota regains a kilobyte every 8,640 seconds: five are owed, and the next upload needs one.
    assert verdict.retry_after == pytest.approx(6 * 8640, abs=60)
