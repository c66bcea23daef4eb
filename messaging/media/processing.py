"""Processing an upload: copy it to a key that no upload can write, let the sanitizer examine it, store or reject it."""

import logging
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chatproject.core.database import without_connection
from chatproject.core.errors import Unavailable
from chatproject.core.realtime import publish
from messaging.media import processing_queue
from messaging.media.accepted_types import ACCEPTED_TYPES, MediaType, with_extension
from messaging.media.attachments import open_filename, seal_filename, show_media
from messaging.media.events import media_updated
from messaging.media.processing_slots import ProcessingSlots
from messaging.media.sanitizer.result import DAMAGED, ExaminationResult, Refusal
from messaging.media.sanitizer.runner import examine
from messaging.media.sanitizer.sandbox import COPY, SOURCE, THUMBNAIL
from messaging.media.size_limits import max_copy_bytes
from messaging.media.storage import ObjectNotFound, media_storage
from messaging.media.type_detection import HEAD_BYTES, detect_type
from messaging.media.upload_quota import charge_stored, charge_time
from messaging.media.virus_scan import finds_virus
from messaging.models import Attachment, Blob

logger = logging.getLogger(__name__)

SLOTS = ProcessingSlots(2)
"""How many files one process examines at the same time: each may need two gigabytes."""
INLINE_BYTES = 8 * 1024**2
"""The largest file that is examined while its uploader waits; larger ones are left to a job."""
SLOT_WAIT_SECONDS = 1.0
"""How long an uploader waits for a slot before their file is left to a job."""
SLOT_POLL_SECONDS = 1.0
"""How often a job whose slot is reserved for other people checks whether one of them has an upload."""
RETRY_PERIOD = timedelta(hours=1)
"""How long after its upload the processing of a file is retried after an unexpected error."""
VIRUS = "This file seems to carry a virus."

State = Attachment.State
RESULT_FIELDS = ["state", "reason", "blob", "upload_key", "turn", "due_at", "content_type", "filename"]


class Rejected(Exception):
    """The file is rejected; the message is a sentence for its uploader."""


def process_soon(attachment: Attachment) -> None:
    """Process a queued upload: at once if that is quick, else in a job.

    Unavailable if the storage or the scanner does not answer; a job retries.
    """
    if not _needs_examination(attachment):
        if processing_queue.claim(attachment, limit=None):
            process(attachment.pk)
    elif (
        attachment.size > INLINE_BYTES
        or not processing_queue.claim(attachment)
        or not _process_within(SLOT_WAIT_SECONDS, attachment)
    ):
        processing_queue.defer_to_job(attachment)


def _process_within(seconds: float, attachment: Attachment) -> bool:
    """Process an upload if this process has a slot for its owner within so many seconds; False if it has none."""
    with SLOTS.for_owner(attachment.owner_id, within=seconds) as has_slot:
        if has_slot:
            process(attachment.pk)
    return has_slot


def process_next() -> None:
    """Process the next upload of the queue once this process has a free slot; Unavailable as in `process_soon`.

    If all queued uploads are of people who have a slot here already, the free slot stays reserved for other people
    until one of those slots is released.
    """
    while True:
        with SLOTS.for_next(_claim_next) as attachment:
            if attachment is not None:
                return process(attachment.pk)
        if not processing_queue.has_due_upload():
            return None
        SLOTS.wait(SLOT_POLL_SECONDS)


def _claim_next(excluding: set[UUID]) -> Attachment | None:
    media_id = processing_queue.claim_next(excluding=excluding)
    return Attachment.objects.get(pk=media_id) if media_id else None


def _needs_examination(attachment: Attachment) -> bool:
    """Tell whether more than the first bytes of a file are examined."""
    return bool(ACCEPTED_TYPES[attachment.content_type].kind != Blob.Kind.FILE or settings.SCANNER_URL)


def process(media_id: UUID) -> None:
    """Process an upload that was claimed from the queue. It is safe to repeat, also in two processes at once.

    Unavailable if the storage or the scanner does not answer: then the upload is queued again.
    """
    attachment = Attachment.objects.get(pk=media_id)
    if attachment.state != State.PROCESSING:
        return
    try:
        _move_from_upload_key(attachment)
        blob = _examine_copy(attachment)
        stored = blob.size + (media_storage().object_size(thumbnail_key(blob.key)) if blob.has_thumbnail else 0)
    except (Rejected, Refusal, ObjectNotFound) as reason:
        logger.info("an upload was rejected: %s", reason)
        # If the object is gone, the cleanup has deleted it meanwhile, or it was lost.
        _reject(attachment, str(reason) or DAMAGED)
    except Unavailable:
        processing_queue.defer_to_job(attachment, has_failed=True)
        raise
    except Exception:
        # An error of ours: it is retried, and the upload is rejected in the end.
        logger.exception("an upload could not be processed")
        if timezone.now() - (attachment.taken_at or attachment.created_at) < RETRY_PERIOD:
            processing_queue.defer_to_job(attachment, has_failed=True)
        else:
            _reject(attachment, DAMAGED)
    else:
        if _store_result(attachment, state=State.READY, blob=blob, reason=VIRUS if blob.quarantined_at else ""):
            charge_stored(attachment, stored)


def _reject(attachment: Attachment, reason: str) -> None:
    if _store_result(attachment, state=State.REJECTED, reason=reason):
        media_storage().delete_objects([attachment.key, thumbnail_key(attachment.key)])


def _move_from_upload_key(attachment: Attachment) -> None:
    """Move the bytes to a key that no upload can write."""
    storage = media_storage()
    try:
        storage.copy_object(attachment.upload_key, attachment.key, content_type=attachment.content_type)
    except ObjectNotFound:
        # An earlier attempt may have moved them already.
        if not storage.has_object(attachment.key):
            raise Rejected("Nothing was uploaded.") from None
    storage.delete_objects([attachment.upload_key])


def _examine_copy(attachment: Attachment) -> Blob:
    """Check the moved file, and replace it by a copy without metadata."""
    storage = media_storage()
    found = detect_type(ACCEPTED_TYPES[attachment.content_type], storage.read_head(attachment.key, HEAD_BYTES))
    if found is None:
        raise Rejected("The file is not what its name says.")
    blob = Blob(key=attachment.key, kind=found.kind, content_type=found.name, size=attachment.size)
    if found.kind == Blob.Kind.FILE and not settings.SCANNER_URL:
        return blob
    with TemporaryDirectory(prefix="parley-media-") as name:
        folder = Path(name)
        storage.download_file(attachment.key, folder / SOURCE)
        if finds_virus(folder / SOURCE):
            blob.quarantined_at = timezone.now()
        elif found.kind != Blob.Kind.FILE:
            max_bytes, note_time = max_copy_bytes(found, attachment.size), partial(charge_time, attachment)
            with without_connection():
                result = examine(found.name, folder, max_bytes=max_bytes, note_time=note_time)
            _store_copy(blob, result, folder)
    return blob


def _store_copy(blob: Blob, result: ExaminationResult, folder: Path) -> None:
    """Store the copy and the thumbnail of a file, and the properties that the examination found."""
    copy, thumbnail = folder / COPY, folder / THUMBNAIL
    for name, value in asdict(result).items():
        setattr(blob, name, value)
    blob.kind = ACCEPTED_TYPES[blob.content_type].kind
    blob.size, blob.has_thumbnail = copy.stat().st_size, thumbnail.stat().st_size > 0
    media_storage().store_file(copy, blob.key, content_type=blob.content_type)
    if blob.has_thumbnail:
        media_storage().store_file(thumbnail, thumbnail_key(blob.key), content_type="image/webp")


def _store_result(attachment: Attachment, *, state: str, blob: Blob | None = None, reason: str = "") -> bool:
    """Store the result of an upload once, and publish it to its owner's devices.

    False if another process has stored one, or the upload is not wanted any more.
    """
    with transaction.atomic():
        locked = Attachment.objects.select_for_update().filter(pk=attachment.pk, gone_at=None).first()
        if is_open := locked is not None and locked.state == State.PROCESSING:
            if blob is not None:
                blob.save(force_insert=True)
                _correct_type(locked, ACCEPTED_TYPES[blob.content_type])
            locked.state, locked.reason, locked.blob, locked.upload_key = state, reason, blob, ""
            locked.turn = locked.due_at = None
            locked.save(update_fields=RESULT_FIELDS)
    if is_open:
        publish([media_updated(attachment.owner_id, show_media(attachment.pk))])
    elif locked is None:
        # The cleanup has deleted the upload meanwhile, perhaps before all objects were stored.
        media_storage().delete_objects([attachment.key, thumbnail_key(attachment.key)])
    return is_open


def _correct_type(attachment: Attachment, type: MediaType) -> None:
    """Correct the type of a file and the extension of its name if it was declared as another type."""
    if attachment.content_type != type.name:
        name = with_extension(open_filename(attachment.pk, bytes(attachment.filename)), type)
        attachment.content_type, attachment.filename = type.name, seal_filename(attachment.pk, name)


def thumbnail_key(key: str) -> str:
    """Return the key of an object's thumbnail."""
    return f"{key}.thumbnail"
