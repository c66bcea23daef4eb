"""What becomes of an upload, published to its owner."""

from uuid import UUID

from chatproject.core.realtime import Post, encode, user_group
from messaging.media.attachments import MediaJSON


def post_media(user_id: UUID, media: MediaJSON) -> Post:
    """Tell a person's devices what has become of an upload; who misses it asks for its state."""
    return user_group(user_id), {"user": user_id.bytes, "frame": encode({"type": "media.updated", "data": media})}
