"""Taking an upload: copied to where nobody else writes, looked at by a program of its own, kept or refused."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.realtime import publish
from messaging.attachments import show_media
from messaging.media_types import HEAD_BYTES, TYPES, looks_like
from messaging.models import Attachment, Blob
from messaging.objects import NotThere, media_storage
from messaging.passing import post_media
from messaging.scanning import finds_virus

logger = logging.getLogger(__name__)

SECONDS = 180
"""After which a file that is still being looked at is refused."""
AT_ONCE = BoundedSemaphore(2)
"""How many files one process has looked at at the same time: each may need two gigabytes."""
DAMAGED = "This file could not be read."
VIRUS = "This file seems to carry a virus."

State = Attachment.State


class Rejected(Exception):
    """Nobody gets this file; says why, in a sentence for people."""


def take(media_id: UUID) -> None:
    """Take an upload that was claimed. May be done again, where it was begun and not ended, and by two at once."""
    attachment = Attachment.objects.get(pk=media_id)
    if attachment.state != State.PROCESSING:
        return
    try:
        _move(attachment)
        with AT_ONCE:
            blob = _look_at(attachment)
    except Rejected as reason:
        logger.info("an upload was refused: %s", reason)
        _settle(attachment, state=State.REJECTED, reason=str(reason))
        media_storage().remove([attachment.key])
    else:
        _settle(attachment, state=State.READY, blob=blob, reason=VIRUS if blob.quarantined_at else "")


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
    storage, declared = media_storage(), TYPES[attachment.content_type]
    if not looks_like(declared, storage.head_of(attachment.key, HEAD_BYTES)):
        raise Rejected("The file is not what its name says.")
    blob = Blob(key=attachment.key, kind=declared.kind, content_type=declared.name, size=attachment.size)
    if declared.kind == Blob.Kind.FILE and not settings.SCANNER_URL:
        return blob
    with TemporaryDirectory(prefix="parley-media-") as folder:
        source, copy, thumbnail = (Path(folder) / name for name in ("source", "copy", "thumbnail"))
        storage.fetch(attachment.key, source)
        if finds_virus(source):
            blob.quarantined_at = timezone.now()
            return blob
        if declared.kind == Blob.Kind.FILE:
            return blob
        found = examine(declared.name, source, copy, thumbnail)
        storage.keep(copy, blob.key, content_type=declared.name)
        blob.size, blob.has_thumbnail = copy.stat().st_size, thumbnail.exists()
        if blob.has_thumbnail:
            storage.keep(thumbnail, thumbnail_key(blob.key), content_type="image/webp")
    for name, value in found.items():
        setattr(blob, name, value)
    return blob


def examine(content_type: str, *paths: Path) -> dict[str, Any]:
    """Have a file looked at by a program with little memory and time, which knows no secrets; Rejected for a no."""
    words = [sys.executable, "-m", "messaging.examining", content_type, *map(str, paths)]
    environ = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603 (words of our own)
            words, cwd=settings.BASE_DIR, env=environ, capture_output=True, timeout=SECONDS, check=True
        )
        said: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        logger.warning("a file could not be looked at: %s", type(error).__name__)
        raise Rejected(DAMAGED) from None
    if "reason" in said:
        raise Rejected(said["reason"])
    return said


def _settle(attachment: Attachment, *, state: str, blob: Blob | None = None, reason: str = "") -> None:
    """Say what has become of an upload, once; tell its owner's devices."""
    with transaction.atomic():
        held = Attachment.objects.select_for_update().filter(pk=attachment.pk, state=State.PROCESSING).first()
        if held is None:
            return
        if blob is not None:
            blob.save(force_insert=True)
        held.state, held.reason, held.blob, held.upload_key = state, reason, blob, ""
        held.save(update_fields=["state", "reason", "blob", "upload_key"])
    publish([post_media(held.owner_id, show_media(held.pk))])


def thumbnail_key(key: str) -> str:
    """Where the small picture of an object lies."""
    return f"{key}.thumbnail"
