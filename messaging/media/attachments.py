"""Attachments: their JSON, and how they are attached to a message."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple, TypedDict
from uuid import UUID

from django.db import connection

from chatproject.core.encryption.sealing import NO_ID, seal, unseal, unseal_or_empty
from chatproject.core.json_types import Count, IdText, PathText, one_of


class MediaJSON(TypedDict):
    """A picture, video, sound or file (contract, section 6). What is unknown or not of its kind is null."""

    id: IdText
    state: Annotated[str, one_of("pending", "processing", "ready", "rejected", "quarantined")]
    reason: str | None
    kind: Annotated[str, one_of("image", "video", "audio", "file")]
    filename: str
    content_type: str
    size: Count
    width: Count | None
    height: Count | None
    duration: float | None
    blurhash: str | None
    waveform: list[Count] | None
    url: PathText | None
    thumbnail_url: PathText | None


class MediaRow(NamedTuple):
    """The columns of an attachment and its blob, in the order of `COLUMNS`; the blob may not exist yet."""

    message_id: UUID | None
    id: UUID
    state: str
    reason: str
    filename: bytes
    content_type: str
    size: int
    kind: str | None
    width: int | None
    height: int | None
    duration: float | None
    blurhash: str | None
    waveform: list[int] | None
    has_thumbnail: bool | None
    quarantined_at: datetime | None
    stored_size: int | None


COLUMNS = """
a.message_id, a.id, a.state, a.reason, a.filename, a.content_type, a.size, b.kind, b.width, b.height, b.duration,
b.blurhash, b.waveform, b.has_thumbnail, b.quarantined_at, b.size AS stored_size
"""
FROM = "FROM messaging_attachment a LEFT JOIN messaging_blob b ON b.id = a.blob_id"
# A deleted message has no attachments any more, even if the cleanup has not deleted them yet.
MEDIA_OF_MESSAGES = f"""
SELECT {COLUMNS} {FROM} WHERE a.message_id = ANY(%(messages)s) AND a.gone_at IS NULL ORDER BY a.message_id, a.place
"""
MEDIA_BY_ID = f"SELECT {COLUMNS} {FROM} WHERE a.id = %(id)s"
ATTACH = """
UPDATE messaging_attachment a SET message_id = %(message)s, conversation_id = %(conversation)s, place = t.place
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS t(id, place), messaging_blob b
WHERE a.id = t.id AND a.owner_id = %(sender)s AND a.state = 'ready' AND a.message_id IS NULL
    AND a.use = '' AND b.id = a.blob_id AND b.quarantined_at IS NULL
"""


def media_of(message_ids: Sequence[UUID]) -> dict[UUID, list[MediaJSON]]:
    """Return the media of some messages by message, in their order."""
    if not message_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(MEDIA_OF_MESSAGES, {"messages": list(message_ids)})
        return group_media(cursor.fetchall())


def group_media(rows: Iterable[Sequence[Any]]) -> dict[UUID, list[MediaJSON]]:
    """Group the rows of `MEDIA_OF_MESSAGES` by message."""
    found: dict[UUID, list[MediaJSON]] = {}
    for row in map(MediaRow._make, rows):
        if row.message_id is not None:
            found.setdefault(row.message_id, []).append(media_json(row))
    return found


def show_media(id: UUID) -> MediaJSON:
    """Return the JSON of one attachment, whether or not it is attached to a message yet."""
    with connection.cursor() as cursor:
        cursor.execute(MEDIA_BY_ID, {"id": id})
        return media_json(MediaRow._make(cursor.fetchone()))


def media_json(row: MediaRow) -> MediaJSON:
    """Return the JSON of an attachment."""
    path = f"/api/v1/media/{row.id}"
    is_available = row.state == "ready" and row.quarantined_at is None
    return {
        "id": str(row.id),
        "state": "quarantined" if row.quarantined_at else row.state,
        "reason": row.reason or None,
        "kind": row.kind or kind_of([row.content_type]),
        "filename": unseal_or_empty(bytes(row.filename), field="filename", row=row.id, conversation=NO_ID),
        "content_type": row.content_type,
        "size": row.size if row.stored_size is None else row.stored_size,
        "width": row.width,
        "height": row.height,
        "duration": row.duration,
        "blurhash": row.blurhash or None,
        "waveform": row.waveform or None,
        "url": path if is_available else None,
        "thumbnail_url": f"{path}/thumbnail" if is_available and row.has_thumbnail else None,
    }


def kind_of(content_types: Iterable[str]) -> str:
    """Return the kind of a message with media of these types: their common kind, else `file`."""
    kinds = {content_type.partition("/")[0] for content_type in content_types}
    kind = kinds.pop() if len(kinds) == 1 else "file"
    return kind if kind in {"image", "video", "audio"} else "file"


def attach_media(ids: Sequence[UUID], *, message_id: UUID, conversation_id: UUID, sender_id: UUID) -> bool:
    """Attach uploads to a message; False unless all of them are ready, unused and their sender's own."""
    about: dict[str, Any] = {"ids": list(ids), "message": message_id}
    about |= {"conversation": conversation_id, "sender": sender_id}
    with connection.cursor() as cursor:
        cursor.execute(ATTACH, about)
        return bool(cursor.rowcount == len(ids))


def seal_filename(id: UUID, filename: str) -> bytes:
    """Encrypt the name of a file: it may reveal as much as the text of a message."""
    return seal(filename, field="filename", row=id, conversation=NO_ID)


def open_filename(id: UUID, filename: bytes) -> str:
    """Decrypt a name that `seal_filename` encrypted."""
    return unseal(filename, field="filename", row=id, conversation=NO_ID)
