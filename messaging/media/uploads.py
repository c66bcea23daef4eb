"""Uploads: signed when they begin, processed when they are complete, and downloaded by those who may read them.

The bytes of an upload bypass this server. A download is never what was uploaded, but a copy under a key that no upload
can write, and that was examined there.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from chatproject.core.errors import Invalid, TooLarge, Unprocessable, UnsupportedMedia
from chatproject.core.ids import uuid7
from chatproject.core.text import name_error
from conversations.access import memberships_of, participant_of
from messaging.access import readable, unexpired_messages
from messaging.media import processing_queue
from messaging.media.accepted_types import ACCEPTED_TYPES, FILENAME_LENGTH, MediaType, declared_type, with_extension
from messaging.media.attachments import MediaJSON, open_filename, seal_filename, show_media
from messaging.media.processing import process_soon, thumbnail_key
from messaging.media.size_limits import max_upload_bytes
from messaging.media.storage import UPLOAD_URL_SECONDS, ObjectNotFound, SignedFormJSON, media_storage
from messaging.media.upload_quota import require_quota
from messaging.models import Attachment

State = Attachment.State


@dataclass(frozen=True, slots=True)
class Upload:
    """A new upload: its JSON, and the signed form that sends its bytes to the storage."""

    media: MediaJSON
    form: SignedFormJSON
    expires_at: datetime


def begin_upload(*, by: User, filename: str, content_type: str, size: int) -> Upload:
    """Create an upload for one file of exactly this type and size.

    UnsupportedMedia, TooLarge, or RateLimited past the daily quota, before any bytes are sent.
    """
    found = declared_type(content_type, filename)
    if found is None:
        raise UnsupportedMedia("Files of this kind can't be sent here.", pointer="/content_type")
    max_bytes = max_upload_bytes(found)
    if size > max_bytes:
        raise TooLarge(f"This file is too large: at most {max_bytes // 1024**2} MB.", pointer="/size")
    if size < 1:
        raise Invalid("This file is empty.", pointer="/size")
    name = _clean_name(filename, found)
    require_quota(by.pk, size)
    id, key = uuid7(), f"uploads/{secrets.token_hex(16)}"
    Attachment.objects.create(
        id=id, owner=by, filename=seal_filename(id, name), content_type=found.name, size=size, upload_key=key
    )
    form = media_storage().presign_upload(key, content_type=found.name, size=size)
    return Upload(show_media(id), form, timezone.now() + timedelta(seconds=UPLOAD_URL_SECONDS))


def _clean_name(filename: str, type: MediaType) -> str:
    """Return the name for downloads: without a path or misleading characters, and with an extension of its type."""
    name = PurePath(filename.replace("\\", "/")).name.strip()
    if not name.strip(". ") or len(name) > FILENAME_LENGTH or name_error(name):
        raise Invalid(f"A file's name has 1 to {FILENAME_LENGTH} characters that can be seen.", pointer="/filename")
    return with_extension(name, type)


def complete_upload(*, by: User, media_id: UUID) -> MediaJSON:
    """Process an upload whose bytes have been sent; it is safe to repeat.

    Attachment.DoesNotExist if it is someone else's; Unprocessable if nothing was uploaded, or the file is rejected.
    """
    attachment = _uploads_of(by).get(pk=media_id)
    if attachment.state == State.PENDING and _enqueue(attachment):
        process_soon(attachment)
    attachment.refresh_from_db()
    if attachment.state == State.REJECTED:
        raise Unprocessable(attachment.reason)
    return show_media(attachment.pk)


def _enqueue(attachment: Attachment) -> bool:
    """Queue an upload for processing; False if another request has queued it, Unprocessable if nothing was uploaded."""
    try:
        media_storage().object_size(attachment.upload_key)
    except ObjectNotFound:
        raise Unprocessable("Nothing was uploaded.") from None
    return processing_queue.enqueue(attachment, key=f"media/{secrets.token_hex(16)}")


def _uploads_of(by: User) -> QuerySet[Attachment]:
    return Attachment.objects.filter(owner=by, gone_at=None)


def upload_state(*, by: User, media_id: UUID) -> MediaJSON:
    """Return the JSON of one's own upload in its present state; Attachment.DoesNotExist if it is someone else's."""
    attachment = _uploads_of(by).get(pk=media_id)
    if _has_expired(attachment):
        raise Attachment.DoesNotExist
    return show_media(attachment.pk)


def download_url(*, by: User, media_id: UUID, is_thumbnail: bool = False) -> str:
    """Sign a URL of the bytes for a person who may see them; Attachment.DoesNotExist for others."""
    attachment = Attachment.objects.select_related("blob").get(pk=media_id, state=State.READY, gone_at=None)
    blob = attachment.blob
    if blob is None or blob.quarantined_at or not _may_download(by, attachment):
        raise Attachment.DoesNotExist
    if not is_thumbnail:
        is_inline, name = (
            ACCEPTED_TYPES[blob.content_type].is_inline,
            open_filename(attachment.pk, bytes(attachment.filename)),
        )
        return media_storage().presign_download(
            blob.key, content_type=blob.content_type, filename=name, is_inline=is_inline
        )
    if not blob.has_thumbnail:
        raise Attachment.DoesNotExist
    key = thumbnail_key(blob.key)
    return media_storage().presign_download(key, content_type="image/webp", filename="thumbnail.webp", is_inline=True)


def _may_download(by: User, attachment: Attachment) -> bool:
    return not _has_expired(attachment) if attachment.owner_id == by.pk else _may_read(by, attachment)


def _has_expired(attachment: Attachment) -> bool:
    """Tell whether an attachment was sent in a message that nobody may read any more, not even its owner."""
    id = attachment.message_id
    return id is not None and not unexpired_messages().filter(pk=id).exists()


def _may_read(by: User, attachment: Attachment) -> bool:
    """Tell whether a person may read the attachment's message, or see the person or group whose picture it is."""
    if attachment.use == "avatar":
        group_id = attachment.conversation_id
        return group_id is None or memberships_of(by).filter(conversation=group_id).exists()
    if attachment.message_id is None or attachment.conversation_id is None:
        return False
    participant = participant_of(by, attachment.conversation_id)
    return readable(participant).filter(pk=attachment.message_id, deleted_at=None).exists()
