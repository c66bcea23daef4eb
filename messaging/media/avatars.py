"""Pictures of people and groups."""

from uuid import UUID

from django.db import connection

from chatproject.core.errors import Unprocessable

USE_AS_AVATAR = """
UPDATE messaging_attachment a SET use = 'avatar', conversation_id = %(conversation)s
FROM messaging_blob b
WHERE a.id = %(id)s AND a.owner_id = %(owner)s AND a.state = 'ready' AND a.message_id IS NULL AND a.use = ''
    AND b.id = a.blob_id AND b.kind = 'image' AND b.quarantined_at IS NULL
"""
MARK_UNUSED = "UPDATE messaging_attachment SET gone_at = clock_timestamp() WHERE id = %(id)s AND use = 'avatar'"


def replace_avatar(old: UUID | None, new: UUID | None, *, owner_id: UUID, of_group: UUID | None = None) -> UUID | None:
    """Replace the picture of a person or a group by another one of its owner's uploads; None removes it.

    Unprocessable unless the new one is an image that is ready, belongs to the owner and has no other use yet.
    """
    if new == old:
        return old
    with connection.cursor() as cursor:
        if new is not None:
            cursor.execute(USE_AS_AVATAR, {"id": new, "owner": owner_id, "conversation": of_group})
            if cursor.rowcount != 1:
                raise Unprocessable("This is no picture of yours that is ready.", pointer="/avatar_media_id")
        if old is not None:
            cursor.execute(MARK_UNUSED, {"id": old})
    return new
