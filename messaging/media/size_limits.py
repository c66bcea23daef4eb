"""How large a file may be, and how large what is made of it."""

from django.conf import settings

from messaging.media.types import MediaType

IMAGE_BYTES = 30 * 1024**2
GROWTH = {"image": (4, 8 * 1024**2), "video": (2, 1024**2), "audio": (2, 1024**2)}
"""By kind: how many times its source a copy may have, and how many bytes more.

Pictures grow where they were compressed harder than we do, or had few colours; film and sound hardly do.
"""


def most_bytes(type: MediaType) -> int:
    """How many bytes a file of this type may have."""
    return min(settings.UPLOAD_BYTES, IMAGE_BYTES) if type.kind == "image" else settings.UPLOAD_BYTES


def most_copied(type: MediaType, size: int) -> int:
    """How many bytes the copy of a file of this type and size may have."""
    times, more = GROWTH[type.kind]
    limit = most_bytes(type)
    # A quarter above the limit: what is just below it may grow a little.
    return min(size * times + more, limit + limit // 4)
