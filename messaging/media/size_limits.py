"""How large an upload may be, and how large the copy that the sanitizer makes of it."""

from django.conf import settings

from messaging.media.accepted_types import MediaType

MAX_IMAGE_BYTES = 30 * 1024**2
COPY_GROWTH = {"image": (4, 8 * 1024**2), "video": (2, 1024**2), "audio": (2, 1024**2)}
"""By kind: how many times the size of its source a copy may have, and how many bytes more.

An image grows if it was compressed more strongly than we compress, or had few colours; video and audio hardly grow.
"""


def max_upload_bytes(type: MediaType) -> int:
    """Return how many bytes an upload of this type may have."""
    return min(settings.UPLOAD_BYTES, MAX_IMAGE_BYTES) if type.kind == "image" else settings.UPLOAD_BYTES


def max_copy_bytes(type: MediaType, size: int) -> int:
    """Return how many bytes the copy of an upload of this type and size may have."""
    times, more = COPY_GROWTH[type.kind]
    limit = max_upload_bytes(type)
    # A quarter above the limit, so that a file just below it may grow a little.
    return min(size * times + more, limit + limit // 4)
