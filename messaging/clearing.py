"""Media that nobody will get any more: objects go first, then their rows, so that no object is left without one."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.ids import first_id_at
from conversations.access import Unavailable
from messaging.models import Attachment, Blob
from messaging.objects import media_storage
from messaging.taking import take, thumbnail_key

logger = logging.getLogger(__name__)

UNSENT_KEPT = timedelta(hours=24)
STUCK = timedelta(minutes=10)
"""After which nobody is looking at an upload any more, whatever it says."""
AT_ONCE = 500


def forget_media() -> int:
    """Remove what was not sent in a day, what was deleted, and what is too old; tell how much it was."""
    gone = 0
    while some := list(_forgotten().values_list("pk", flat=True)[:AT_ONCE]):
        for id in some:
            _forget(id)
        gone += len(some)
    return gone


def _forgotten() -> QuerySet[Attachment]:
    now = timezone.now()
    unsent = Q(message_id=None, use="", created_at__lt=now - UNSENT_KEPT)
    expired = Q(message_id__lt=first_id_at(now - timedelta(days=settings.RETENTION_DAYS)))
    return Attachment.objects.filter(unsent | expired | Q(gone_at__isnull=False))


@transaction.atomic
def _forget(id: UUID) -> None:
    attachment = Attachment.objects.select_for_update().filter(pk=id).first()
    if attachment is None or not _forgotten().filter(pk=id).exists():
        return
    # Whoever sends it on at this moment waits for the row of the bytes, and finds it gone.
    blob = Blob.objects.select_for_update().filter(pk=attachment.blob_id).first() if attachment.blob_id else None
    is_last = blob is not None and not blob.attachments.exclude(pk=id).exists()
    keys = [key for key in (attachment.upload_key, attachment.key if blob is None else "") if key]
    if blob is not None and is_last:
        keys += [blob.key, thumbnail_key(blob.key)]
    media_storage().remove(keys)
    attachment.delete()
    if blob is not None and is_last:
        blob.delete()


def take_up_again() -> None:
    """Look at uploads whose looking was cut short."""
    stuck = Attachment.objects.filter(state=Attachment.State.PROCESSING, taken_at__lt=timezone.now() - STUCK)
    for id in stuck.values_list("pk", flat=True):
        # Where the storage or the scanner does not answer still, the rest is to be cleared up all the same.
        with suppress(Unavailable):
            take(id)


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
