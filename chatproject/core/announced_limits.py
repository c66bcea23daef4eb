"""The limits that this server announces to its clients."""

from typing import TypedDict

from django.conf import settings

from chatproject.core.json_types import Count, TimeText


class LimitsJSON(TypedDict):
    """What clients keep to: characters, people, seconds and bytes."""

    text: Count
    attachments: Count
    upload_bytes: Count
    group_members: Count
    edit_seconds: Count
    frame_bytes: Count
    body_bytes: Count


class ServerJSON(TypedDict):
    """What the server says of itself to everyone."""

    name: str
    version: str
    feature_level: Count
    features: list[str]
    generation: Count
    time: TimeText
    limits: LimitsJSON
    retention_days: Count


def limits() -> LimitsJSON:
    """Return the limits that `GET /server` and the `connected` frame contain."""
    return {
        "text": settings.TEXT_LENGTH,
        "attachments": settings.ATTACHMENTS,
        "upload_bytes": settings.UPLOAD_BYTES,
        "group_members": settings.GROUP_MEMBERS,
        "edit_seconds": settings.EDIT_SECONDS,
        "frame_bytes": settings.FRAME_BYTES,
        "body_bytes": settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    }
