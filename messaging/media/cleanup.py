"""Media that nobody will get any more: objects go first, then their rows, so that no object is left without one.

The storage is waited for outside any transaction. So a first one lets the row of an upload alone know its objects, and
puts it out of everybody's reach; a second one removes the row, once the objects are gone. What is cut short in between
is found again by that row, and done again.
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

UNSENT_KEPT = timedelta(hours=24)
AT_ONCE = 500


def forget_media() -> int:
    """Remove what was not sent in a day, what was deleted, and what is too old; tell how much it was."""
    gone = 0
    while some := list(_forgotten().values_list("pk", flat=True)[:AT_ONCE]):
        media_storage().remove([key for id in some for key in _let_go(id)])
        gone += Attachment.objects.filter(pk__in=some, gone_at__isnull=False, blob=None).delete()[0]
    return gone


def _forgotten() -> QuerySet[Attachment]:
    now = timezone.now()
    unsent = Q(message_id=None, use="", created_at__lt=now - UNSENT_KEPT)
    expired = Q(message_id__lt=first_id_at(now - timedelta(days=settings.RETENTION_DAYS)))
    return Attachment.objects.filter(unsent | expired | Q(gone_at__isnull=False))


@transaction.atomic
def _let_go(id: UUID) -> list[str]:
    """Put an upload out of reach, without the bytes if it is their last use; give the keys of its own objects."""
    attachment = Attachment.objects.select_for_update().filter(pk=id).first()
    if attachment is None or not _forgotten().filter(pk=id).exists():
        return []
    # Whoever sends it on at this moment waits for the row of the bytes, and finds it gone.
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


def remove_orphans() -> int:
    """Remove objects that no row knows, once they are a day old; tell how many they were."""
    removed = 0
    for some in _in_pieces(_old_keys()):
        orphans = sorted(set(some) - _known(some))
        media_storage().remove(orphans)
        removed += len(orphans)
    if removed:
        logger.warning("removed %d objects that nothing refers to", removed)
    return removed


def _old_keys() -> Iterator[str]:
    oldest = timezone.now() - UNSENT_KEPT
    return (key for key, written in media_storage().everything() if written < oldest)


def _known(keys: Sequence[str]) -> set[str]:
    """Those of some keys that a row knows."""
    plain = {key.removesuffix(thumbnail_key("")) for key in keys}
    waiting = Attachment.objects.filter(Q(upload_key__in=plain) | Q(key__in=plain, blob=None))
    known = {*Blob.objects.filter(key__in=plain).values_list("key", flat=True)}
    known |= {key for pair in waiting.values_list("upload_key", "key") for key in pair}
    return known | {thumbnail_key(key) for key in known}


def _in_pieces(keys: Iterable[str]) -> Iterator[list[str]]:
    piece: list[str] = []
    for key in keys:
        piece.append(key)
        if len(piece) == AT_ONCE:
            yield piece
            piece = []
    yield piece
