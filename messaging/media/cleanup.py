"""Delete unused media: the S3 object before its row, so that no object is orphaned.

The storage is called outside any transaction. So a first transaction marks the row of an upload as gone, and leaves it
as the only one that knows the keys of its objects; a second transaction deletes the row once the objects are deleted.
If the storage fails or the process dies in between, the next run finds the row and retries.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from chatproject.core.ids import first_id_at
from messaging.media.processing import thumbnail_key
from messaging.media.storage import media_storage
from messaging.models import Attachment, Blob

logger = logging.getLogger(__name__)

UNSENT_LIFETIME = timedelta(hours=24)
BATCH_SIZE = 500


def delete_unused_media() -> int:
    """Delete uploads that were not sent within a day, were deleted, or are past the retention; return how many."""
    deleted = 0
    while batch := list(_unused().values_list("pk", flat=True)[:BATCH_SIZE]):
        media_storage().delete_objects([key for id in batch for key in _release_objects(id)])
        deleted += Attachment.objects.filter(pk__in=batch, gone_at__isnull=False, blob=None).delete()[0]
    return deleted


def _unused() -> QuerySet[Attachment]:
    now = timezone.now()
    unsent = Q(message_id=None, use="", created_at__lt=now - UNSENT_LIFETIME)
    expired = Q(message_id__lt=first_id_at(now - timedelta(days=settings.RETENTION_DAYS)))
    return Attachment.objects.filter(unsent | expired | Q(gone_at__isnull=False))


@transaction.atomic
def _release_objects(id: UUID) -> list[str]:
    """Mark an upload as gone and detach it from its blob; return the keys of the objects to delete.

    The blob and its objects are deleted with its last use.
    """
    attachment = Attachment.objects.select_for_update().filter(pk=id).first()
    if attachment is None or not _unused().filter(pk=id).exists():
        return []
    # A forward at this moment waits for the lock of the blob, and finds that it is gone.
    blob = Blob.objects.select_for_update().filter(pk=attachment.blob_id).first() if attachment.blob_id else None
    if blob is not None:
        is_last = not blob.attachments.exclude(pk=id).exists()
        attachment.key, attachment.blob = blob.key if is_last else "", None
    attachment.gone_at = attachment.gone_at or timezone.now()
    attachment.save(update_fields=["key", "blob", "gone_at"])
    if blob is not None and is_last:
        blob.delete()
    written = [attachment.key, thumbnail_key(attachment.key)] if attachment.key else []
    return [*written, *filter(None, [attachment.upload_key])]


def delete_orphaned_objects() -> int:
    """Delete objects that no row refers to, once they are a day old; return how many."""
    deleted = 0
    for batch in _batches(_old_keys()):
        orphans = sorted(set(batch) - _referenced(batch))
        media_storage().delete_objects(orphans)
        deleted += len(orphans)
    if deleted:
        logger.warning("deleted %d objects that no row refers to", deleted)
    return deleted


def _old_keys() -> Iterator[str]:
    oldest = timezone.now() - UNSENT_LIFETIME
    return (key for key, written in media_storage().list_objects() if written < oldest)


def _referenced(keys: Sequence[str]) -> set[str]:
    """Return those of some keys that a row refers to."""
    originals = {key.removesuffix(thumbnail_key("")) for key in keys}
    waiting = Attachment.objects.filter(Q(upload_key__in=originals) | Q(key__in=originals, blob=None))
    referenced = {*Blob.objects.filter(key__in=originals).values_list("key", flat=True)}
    referenced |= {key for pair in waiting.values_list("upload_key", "key") for key in pair}
    return referenced | {thumbnail_key(key) for key in referenced}


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for key in keys:
        batch.append(key)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    yield batch
