"""Taking an upload: copied to where nobody else writes, looked at by a program of its own, kept or refused."""

import logging
import math
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chatproject.core import rate_limits
from chatproject.core.database import without_connection
from chatproject.core.errors import Unavailable
from chatproject.core.rate_limits import quotas
from chatproject.core.realtime import publish
from messaging.media import processing_queue
from messaging.media.attachments import open_name, seal_name, show_media
from messaging.media.events import media_updated
from messaging.media.processing_slots import Slots
from messaging.media.sanitizer.result import DAMAGED, Finding, Refusal
from messaging.media.sanitizer.runner import examine
from messaging.media.sanitizer.sandbox import COPY, SOURCE, THUMBNAIL
from messaging.media.size_limits import most_copied
from messaging.media.storage import NotThere, media_storage
from messaging.media.types import HEAD_BYTES, TYPES, MediaType, name_for, type_of
from messaging.media.virus_scan import finds_virus
from messaging.models import Attachment, Blob

logger = logging.getLogger(__name__)

SLOTS = Slots(2)
"""How many files one process has looked at at the same time: each may need two gigabytes."""
SMALL_BYTES = 8 * 1024**2
"""What is looked at while its uploader waits; the rest is a job's."""
PATIENCE = 1.0
"""Seconds that an uploader waits until their file can be looked at; after that it is a job's."""
LOOK_EVERY = 1.0
"""Seconds after which a slot that is kept free for others looks whether one of them has come."""
LEAST_COST = 64 * 1024
"""Bytes that an upload takes of the day's at least, so that nobody makes millions of rows."""
SECOND_COST = 512 * 1024
"""Bytes of the day's that a second of processor time takes, where a file has fewer: half an hour of a gigabyte."""
GIVEN_UP = timedelta(hours=1)
"""How long after its upload a file is tried again that fails by a fault of ours."""
VIRUS = "This file seems to carry a virus."

State = Attachment.State
SETTLED = ["state", "reason", "blob", "upload_key", "turn", "due_at", "content_type", "filename"]


class Rejected(Exception):
    """Nobody gets this file; says why, in a sentence for people."""


def take_soon(attachment: Attachment) -> None:
    """Take an upload that waits for its turn: while its owner waits if that is quick, else by a job.

    Unavailable if the storage or the scanner does not answer; a job tries again.
    """
    if not _is_examined(attachment):
        if processing_queue.begin(attachment, most=None):
            take(attachment.pk)
    elif (
        attachment.size > SMALL_BYTES
        or not processing_queue.begin(attachment)
        or not _take_within(PATIENCE, attachment)
    ):
        processing_queue.leave_to_job(attachment)


def _take_within(seconds: float, attachment: Attachment) -> bool:
    """Take an upload if this process may look at one more file of its owner's soon; False if it may not."""
    with SLOTS.for_person(attachment.owner_id, within=seconds) as has_slot:
        if has_slot:
            take(attachment.pk)
    return has_slot


def take_next() -> None:
    """Take the upload whose turn it is, once this process may look at one more file; Unavailable as in `take_soon`.

    Where all that wait are of people who have one looked at here, the slot is kept for others until one of those ends.
    """
    while True:
        with SLOTS.for_next(_begin_next) as attachment:
            if attachment is not None:
                return take(attachment.pk)
        if not processing_queue.is_one_due():
            return None
        SLOTS.wait(LOOK_EVERY)


def _begin_next(served: set[UUID]) -> Attachment | None:
    media_id = processing_queue.begin_next(besides=served)
    return Attachment.objects.get(pk=media_id) if media_id else None


def _is_examined(attachment: Attachment) -> bool:
    """Tell whether more than the beginning of a file is looked at."""
    return bool(TYPES[attachment.content_type].kind != Blob.Kind.FILE or settings.SCANNER_URL)


def take(media_id: UUID) -> None:
    """Take an upload that `turns` has let begin. May be done again, where it was not ended, and by two at once.

    Unavailable if the storage or the scanner does not answer: then the upload waits for its turn again.
    """
    attachment = Attachment.objects.get(pk=media_id)
    if attachment.state != State.PROCESSING:
        return
    try:
        _move(attachment)
        blob = _look_at(attachment)
        stored = blob.size + (media_storage().size_of(thumbnail_key(blob.key)) if blob.has_thumbnail else 0)
    except (Rejected, Refusal, NotThere) as reason:
        logger.info("an upload was refused: %s", reason)
        # An object that has vanished was cleared up meanwhile, or lost.
        _reject(attachment, str(reason) or DAMAGED)
    except Unavailable:
        processing_queue.leave_to_job(attachment, has_failed=True)
        raise
    except Exception:
        # A fault of ours: it is tried again, and rejected in the end.
        logger.exception("an upload could not be looked at")
        if timezone.now() - (attachment.taken_at or attachment.created_at) < GIVEN_UP:
            processing_queue.leave_to_job(attachment, has_failed=True)
        else:
            _reject(attachment, DAMAGED)
    else:
        if _settle(attachment, state=State.READY, blob=blob, reason=VIRUS if blob.quarantined_at else ""):
            _charge(attachment, stored)


def _reject(attachment: Attachment, reason: str) -> None:
    if _settle(attachment, state=State.REJECTED, reason=reason):
        media_storage().remove([attachment.key, thumbnail_key(attachment.key)])


def cost_of(size: int) -> int:
    """How many kilobytes of the day's so many bytes take."""
    return max(size, LEAST_COST) // 1024


def _charge(attachment: Attachment, stored: int) -> None:
    """Count what is stored beyond what was uploaded; it was let in already, so nothing is refused for it."""
    more = math.ceil(stored / 1024) - cost_of(attachment.size)
    if more > 0:
        rate_limits.consume_unchecked([(quotas.uploads(settings.UPLOAD_BYTES_A_DAY), attachment.owner_id)], cost=more)


def _charge_time(attachment: Attachment, seconds: float) -> None:
    """Count how long it took to look at a file, whatever came of it, beyond what it cost by its bytes."""
    more = int(seconds * SECOND_COST) // 1024 - cost_of(attachment.size)
    if more > 0:
        rate_limits.consume_unchecked([(quotas.uploads(settings.UPLOAD_BYTES_A_DAY), attachment.owner_id)], cost=more)


def _move(attachment: Attachment) -> None:
    """Bring the bytes to where no upload can write."""
    storage = media_storage()
    try:
        storage.copy(attachment.upload_key, attachment.key, content_type=attachment.content_type)
    except NotThere:
        # An earlier try came as far as this.
        if not storage.has(attachment.key):
            raise Rejected("Nothing was uploaded.") from None
    storage.remove([attachment.upload_key])


def _look_at(attachment: Attachment) -> Blob:
    """Check the copy, and put one without metadata in its place."""
    storage = media_storage()
    found = type_of(TYPES[attachment.content_type], storage.head_of(attachment.key, HEAD_BYTES))
    if found is None:
        raise Rejected("The file is not what its name says.")
    blob = Blob(key=attachment.key, kind=found.kind, content_type=found.name, size=attachment.size)
    if found.kind == Blob.Kind.FILE and not settings.SCANNER_URL:
        return blob
    with TemporaryDirectory(prefix="parley-media-") as name:
        folder = Path(name)
        storage.fetch(attachment.key, folder / SOURCE)
        if finds_virus(folder / SOURCE):
            blob.quarantined_at = timezone.now()
        elif found.kind != Blob.Kind.FILE:
            most, note_time = most_copied(found, attachment.size), partial(_charge_time, attachment)
            with without_connection():
                seen = examine(found.name, folder, most=most, note_time=note_time)
            _keep(blob, seen, folder)
    return blob


def _keep(blob: Blob, seen: Finding, folder: Path) -> None:
    """Put what was made of a file into its place, and note what was seen."""
    copy, thumbnail = folder / COPY, folder / THUMBNAIL
    for name, value in asdict(seen).items():
        setattr(blob, name, value)
    blob.kind = TYPES[blob.content_type].kind
    blob.size, blob.has_thumbnail = copy.stat().st_size, thumbnail.stat().st_size > 0
    media_storage().keep(copy, blob.key, content_type=blob.content_type)
    if blob.has_thumbnail:
        media_storage().keep(thumbnail, thumbnail_key(blob.key), content_type="image/webp")


def _settle(attachment: Attachment, *, state: str, blob: Blob | None = None, reason: str = "") -> bool:
    """Say what has become of an upload, once, and tell its owner's devices; False if it was done or is not wanted."""
    with transaction.atomic():
        held = Attachment.objects.select_for_update().filter(pk=attachment.pk, gone_at=None).first()
        if is_open := held is not None and held.state == State.PROCESSING:
            if blob is not None:
                blob.save(force_insert=True)
                _name_as(held, TYPES[blob.content_type])
            held.state, held.reason, held.blob, held.upload_key = state, reason, blob, ""
            held.turn = held.due_at = None
            held.save(update_fields=SETTLED)
    if is_open:
        publish([media_updated(attachment.owner_id, show_media(attachment.pk))])
    elif held is None:
        # It was cleared up meanwhile, perhaps before all of it was stored.
        media_storage().remove([attachment.key, thumbnail_key(attachment.key)])
    return is_open


def _name_as(attachment: Attachment, type: MediaType) -> None:
    """Correct the type of a file, and the ending of its name, where it was declared as something else."""
    if attachment.content_type != type.name:
        name = name_for(open_name(attachment.pk, bytes(attachment.filename)), type)
        attachment.content_type, attachment.filename = type.name, seal_name(attachment.pk, name)


def thumbnail_key(key: str) -> str:
    """Where the small picture of an object lies."""
    return f"{key}.thumbnail"
