"""However the examining program ends, the upload gets a result, and no process or file is left behind."""

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from chatproject.core import rate_limits
from chatproject.core.errors import Unprocessable
from chatproject.core.rate_limits import quotas
from messaging.jobs import look_at_next
from messaging.media.accepted_types import ACCEPTED_TYPES
from messaging.media.sanitizer.result import Refusal, parse_result
from messaging.media.sanitizer.runner import COPY_TOO_LARGE, examine
from messaging.media.size_limits import max_copy_bytes, max_upload_bytes
from messaging.media.storage import media_storage
from messaging.media.upload_quota import COST_PER_SECOND
from messaging.media.uploads import complete_upload, upload_state
from messaging.models import Attachment
from tests.messaging.media.conftest import begin, put, upload
from tests.support import hostile, samples

Phone = Callable[[User], httpx.Client]
MB = 1024**2
DAMAGED = "This file could not be read."
TOO_SLOW = "This file takes too long to look at."


@pytest.fixture
def uploaded(phone: Phone, alice: User) -> UUID:
    """A picture that is uploaded to the storage, but not completed."""
    said = begin(phone(alice), samples.picture(), "a.jpg", "image/jpeg").json()["data"]
    put(said["upload"], samples.picture())
    return UUID(said["media"]["id"])


# Files whose copies would be much larger

ATTACKS = [
    ("video/mp4", hostile.film_that_repeats),
    pytest.param("image/png", lambda folder: hostile.picture_that_repeats(frames=12), marks=pytest.mark.long),
]


@pytest.mark.parametrize(("content_type", "make"), ATTACKS)
def test_what_would_grow_without_end_is_ended_while_it_is_small(
    phone: Phone, alice: User, tmp_path: Path, content_type: str, make: Callable[[Path], bytes]
) -> None:
    data, folder = make(tmp_path), tmp_path / "examined"
    folder.mkdir()
    (folder / "source").write_bytes(data)
    most = max_copy_bytes(ACCEPTED_TYPES[content_type], len(data))
    with pytest.raises(Refusal, match=COPY_TOO_LARGE):
        examine(content_type, folder, max_bytes=most)
    assert 0 < (folder / "copy").stat().st_size <= most < 9 * len(data)
    before = left_behind()
    answer = upload(phone(alice), data, "a", content_type)
    assert (answer["status"], answer["detail"]) == (422, COPY_TOO_LARGE)
    assert (left_behind() - before, list(media_storage().list_objects())) == (set(), [])


def left_behind() -> set[Path]:
    return set(Path(gettempdir()).glob("parley-media-*"))


@pytest.mark.parametrize(
    ("content_type", "size", "most"),
    [
        ("image/png", 1, 8 * MB + 4),
        ("image/png", 29 * MB, 37.5 * MB),
        ("video/mp4", 10 * MB, 21 * MB),
        ("audio/wav", 90 * MB, 125 * MB),
    ],
)
def test_a_copy_has_the_size_of_its_source_or_a_little_more(content_type: str, size: int, most: int) -> None:
    assert max_copy_bytes(ACCEPTED_TYPES[content_type], size) == most
    assert max_copy_bytes(ACCEPTED_TYPES[content_type], size) <= 1.25 * max_upload_bytes(ACCEPTED_TYPES[content_type])


# How the program may end

FINDING = '{"content_type": "image/jpeg", "width": 1, "height": 1, "duration": null, "blurhash": "", "waveform": []}'
WRITE = "open(sys.argv[2] + '/copy', 'wb').write(b'x')"
ENDINGS = {
    "killed": ("os.kill(os.getpid(), 9)", DAMAGED),
    "crashed": ("os.kill(os.getpid(), 11)", DAMAGED),
    "out of memory": ("bytearray(10**15)", DAMAGED),
    "out of time": ("os.kill(os.getpid(), signal.SIGXCPU)", TOO_SLOW),
    "too large": (
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGXFSZ)",
        COPY_TOO_LARGE,
    ),
    "failed": ("raise SystemExit(3)", DAMAGED),
    "silent": ("pass", DAMAGED),
    "no JSON": ("print('}')", DAMAGED),
    "no text": ("sys.stdout.buffer.write(bytes(range(256)))", DAMAGED),
    "no object": ("print('[1, 2]')", DAMAGED),
    "much": ("print('[' * 10**6)", DAMAGED),
    "very much": ("print('x' * 10**8)", DAMAGED),
    "no copy": (f"print({FINDING!r})", DAMAGED),
    "no sentence": ("print('{\"reason\": 7}')", DAMAGED),
    "a long reason": ("print('{\"reason\": \"' + 'x' * 900 + '\"}')", DAMAGED),
}
VALUES = {
    "width": ["-1", "2147483648", "1.5", "true", '"9"', "1e999", "9" * 5000],
    "duration": ["NaN", "Infinity", "-0.5", "1e99", "[]"],
    "blurhash": ["null", '"' + "x" * 65 + '"', '"\\u0000"', "7"],
    "waveform": ["null", "[101]", "[-1]", "[1.5]", "{}", "[" + "0, " * 64 + "0]"],
    "content_type": ["null", "[]", "{}"],
    "unknown": ["1"],
}


def program(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import os, signal, sys; {code}")


def telling(name: str, value: str) -> bytes:
    """A finding that has one value of its own."""
    told = FINDING.replace("{", f'{{"{name}": {value}, ', 1) if name == "unknown" else FINDING
    for known in ('"content_type": "image/jpeg"', '"width": 1', '"duration": null', '"blurhash": ""', '"waveform": []'):
        if known.startswith(f'"{name}"'):
            told = told.replace(known, f'"{name}": {value}')
    return told.encode()


@pytest.mark.parametrize("end", ENDINGS)
def test_however_the_program_ends_the_upload_is_rejected_with_a_sentence(
    alice: User, uploaded: UUID, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    code, reason = ENDINGS[end]
    monkeypatch.setattr("messaging.media.sanitizer.runner.PROGRAM", program(code))
    for _ in range(2):
        with pytest.raises(Unprocessable, match=reason):
            complete_upload(by=alice, media_id=uploaded)
    shown = upload_state(by=alice, media_id=uploaded)
    assert (shown["state"], shown["reason"], list(media_storage().list_objects())) == ("rejected", reason, [])


def test_a_program_that_does_not_end_is_ended(alice: User, uploaded: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.media.sanitizer.runner.PROGRAM", program("signal.pause()"))
    monkeypatch.setattr("messaging.media.sanitizer.runner.SECONDS", 0.5)
    with pytest.raises(Unprocessable, match=TOO_SLOW):
        complete_upload(by=alice, media_id=uploaded)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in VALUES.items() for value in values])
def test_a_finding_that_can_not_be_is_none(name: str, value: str) -> None:
    with pytest.raises(Refusal, match=DAMAGED):
        parse_result(telling(name, value))


def test_a_finding_that_can_be_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_result(telling("width", "7")).width == 7
    monkeypatch.setattr("messaging.media.sanitizer.runner.PROGRAM", program(f"{WRITE}; print({FINDING!r})"))
    assert examine("image/jpeg", tmp_path, max_bytes=MB).width == 1
    for other in ("image/gif", "video/mp4"):
        with pytest.raises(Refusal, match=DAMAGED):
            examine(other, tmp_path, max_bytes=MB)


# Faults of our own


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault after the examination of an upload."""
    monkeypatch.setattr("messaging.media.processing.asdict", lambda finding: {}["nothing"])


def try_again(*, begun: timedelta) -> None:
    """Make a failed upload due for a retry, the given time after it began."""
    Attachment.objects.update(taken_at=timezone.now() - begun, due_at=timezone.now())
    look_at_next()


def test_a_fault_of_ours_is_tried_again_and_given_up_in_the_end(alice: User, uploaded: UUID, fault: None) -> None:
    assert complete_upload(by=alice, media_id=uploaded)["state"] == "processing"
    assert ProcrastinateJob.objects.filter(task_name=look_at_next.name).count() == 1
    try_again(begun=timedelta(minutes=30))
    assert upload_state(by=alice, media_id=uploaded)["state"] == "processing"
    try_again(begun=timedelta(minutes=61))
    shown = upload_state(by=alice, media_id=uploaded)
    assert (shown["state"], shown["reason"], list(media_storage().list_objects())) == ("rejected", DAMAGED, [])


def test_an_upload_that_failed_by_a_fault_of_ours_is_ready_after_the_repair(
    alice: User, uploaded: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("messaging.media.sanitizer.runner.disk_usage", partial(_full_disk))
        assert complete_upload(by=alice, media_id=uploaded)["state"] == "processing"
    try_again(begun=timedelta(minutes=11))
    assert upload_state(by=alice, media_id=uploaded)["state"] == "ready"


def _full_disk(folder: Path) -> Any:
    class Full:
        free = 0

    return Full


# Quota


@pytest.mark.parametrize("ending", ["", "os.kill(os.getpid(), 9)"])
def test_a_slow_examination_costs_quota_by_its_time_whatever_its_outcome(
    alice: User, uploaded: UUID, monkeypatch: pytest.MonkeyPatch, settings: Any, ending: str
) -> None:
    settings.CHAT_LIMITS = True
    day = [(quotas.uploads(settings.UPLOAD_BYTES_A_DAY), alice.pk)]
    before = rate_limits.consume(day, cost=0).remaining
    spent = "\nimport time\nwhile time.process_time() < 2: pass\n"
    monkeypatch.setattr("messaging.media.sanitizer.runner.PROGRAM", program(spent + ending))
    with pytest.raises(Unprocessable):
        complete_upload(by=alice, media_id=uploaded)
    # Some of the quota is refilled while a busy machine computes.
    assert before - rate_limits.consume(day, cost=0).remaining >= COST_PER_SECOND // 1024
