"""What this server tells its clients to keep to."""

from django.conf import settings


def limits() -> dict[str, int]:
    """The limits that `GET /server` and the `connected` frame name."""
    return {
        "text": settings.TEXT_LENGTH,
        "group_members": settings.GROUP_MEMBERS,
        "edit_seconds": settings.EDIT_SECONDS,
        "frame_bytes": settings.FRAME_BYTES,
    }
