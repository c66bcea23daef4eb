"""The event that tells an uploader how their upload ended."""

from uuid import UUID

from chatproject.core.realtime import UserFrame, encode
from messaging.media.attachments import MediaJSON


def media_updated(user_id: UUID, media: MediaJSON) -> UserFrame:
    """Write the state of an upload as an event for its owner's devices; a device that misses it asks for the state."""
    return UserFrame(user_id, encode({"type": "media.updated", "data": media}))
