"""What people send beside words: offered a place in the storage, taken from there, and shown to those who may see it.

The bytes of an upload go past us. What is downloaded was copied from where the upload could be written to a key that no
upload ever could, and looked at there.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from chatproject.core import rate_limits
from chatproject.core.errors import Invalid, TooLarge, Unprocessable, UnsupportedMedia
from chatproject.core.ids import uuid7
from chatproject.core.names import name_error
from chatproject.core.rate_limits import quotas
from conversations.access import memberships_of, participant_of
from messaging.access import readable
from messaging.media import processing_queue
from messaging.media.attachments import MediaJSON, open_name, seal_name, show_media
from messaging.media.processing import cost_of, take_soon, thumbnail_key
from messaging.media.size_limits import most_bytes
from messaging.media.storage import UPLOAD_SECONDS, NotThere, OfferJSON, media_storage
from messaging.media.types import NAME_LENGTH, TYPES, MediaType, declared_type, name_for
from messaging.models import Attachment

State = Attachment.State


@dataclass(frozen=True, slots=True)
class Upload:
    """What an upload goes with."""

    media: MediaJSON
    offer: OfferJSON
    expires_at: datetime


def begin_upload(*, by: User, filename: str, content_type: str, size: int) -> Upload:
    """Offer a place for one file of this type and of just this size.

    UnsupportedMedia, TooLarge, or RateLimited past the day's bytes, before anything moves.
    """
    found = declared_type(content_type, filename)
    if found is None:
        raise UnsupportedMedia("Files of this kind can't be sent here.", pointer="/content_type")
    most = most_bytes(found)
    if size > most:
        raise TooLarge(f"This file is too large: at most {most // 1024**2} MB.", pointer="/size")
    if size < 1:
        raise Invalid("This file is empty.", pointer="/size")
    name = _clean_name(filename, found)
    rate_limits.require([(quotas.uploads(settings.UPLOAD_BYTES_A_DAY), by.pk)], cost=cost_of(size))
    id, key = uuid7(), f"uploads/{secrets.token_hex(16)}"
    Attachment.objects.create(
        id=id, owner=by, filename=seal_name(id, name), content_type=found.name, size=size, upload_key=key
    )
    offer = media_storage().offer(key, content_type=found.name, size=size)
    return Upload(show_media(id), offer, timezone.now() + timedelta(seconds=UPLOAD_SECONDS))


def _clean_name(filename: str, type: MediaType) -> str:
    """The name that a download has: no path, nothing that misleads, and an ending that goes with its type."""
    name = PurePath(filename.replace("\\", "/")).name.strip()
    if not name.strip(". ") or len(name) > NAME_LENGTH or name_error(name):
        raise Invalid(f"A file's name has 1 to {NAME_LENGTH} characters that can be seen.", pointer="/filename")
    return name_for(name, type)


def complete_upload(*, by: User, media_id: UUID) -> MediaJSON:
    """Take what was uploaded and look at it; repeating it is harmless.

    Attachment.DoesNotExist if it is not one's own; Unprocessable if nothing was uploaded, or what was is refused.
    """
    attachment = _own(by).get(pk=media_id)
    if attachment.state == State.PENDING and _claim(attachment):
        take_soon(attachment)
    attachment.refresh_from_db()
    if attachment.state == State.REJECTED:
        raise Unprocessable(attachment.reason)
    return show_media(attachment.pk)


def _claim(attachment: Attachment) -> bool:
    """Be the one who takes an upload that is there; Unprocessable if there is none."""
    try:
        media_storage().size_of(attachment.upload_key)
    except NotThere:
        raise Unprocessable("Nothing was uploaded.") from None
    return processing_queue.enter(attachment, key=f"media/{secrets.token_hex(16)}")


def _own(by: User) -> QuerySet[Attachment]:
    return Attachment.objects.filter(owner=by, gone_at=None)


def state_of(*, by: User, media_id: UUID) -> MediaJSON:
    """Show one's own upload, whatever has become of it; Attachment.DoesNotExist for others'."""
    return show_media(_own(by).get(pk=media_id).pk)


def link_to(*, by: User, media_id: UUID, is_thumbnail: bool = False) -> str:
    """Sign a link to the bytes for someone who may see them; Attachment.DoesNotExist for all others."""
    attachment = Attachment.objects.select_related("blob").get(pk=media_id, state=State.READY, gone_at=None)
    blob = attachment.blob
    if blob is None or blob.quarantined_at or not (attachment.owner_id == by.pk or _may_read(by, attachment)):
        raise Attachment.DoesNotExist
    if not is_thumbnail:
        shown, name = TYPES[blob.content_type].is_shown, open_name(attachment.pk, bytes(attachment.filename))
        return media_storage().link(blob.key, content_type=blob.content_type, filename=name, is_shown=shown)
    if not blob.has_thumbnail:
        raise Attachment.DoesNotExist
    key = thumbnail_key(blob.key)
    return media_storage().link(key, content_type="image/webp", filename="thumbnail.webp", is_shown=True)


def _may_read(by: User, attachment: Attachment) -> bool:
    """Tell whether someone may read the message that holds it, or sees whose picture it is."""
    if attachment.use == "avatar":
        group_id = attachment.conversation_id
        return group_id is None or memberships_of(by).filter(conversation=group_id).exists()
    if attachment.message_id is None or attachment.conversation_id is None:
        return False
    place = participant_of(by, attachment.conversation_id)
    return readable(place).filter(pk=attachment.message_id, deleted_at=None).exists()
