"""Changing one's own profile and settings; a setting can change who may write to the person."""

from types import EllipsisType
from typing import Any
from uuid import UUID

from accounts.changes import publish_user_change
from accounts.models import User
from accounts.people import username_change
from chatproject.core.errors import Invalid
from chatproject.core.text import name_error
from conversations.avatars import replace_avatar
from conversations.permissions import Locked, directs_of, refresh_permissions, with_locks


def update_me(
    *,
    by: User,
    username: str | None = None,
    display_name: str | None = None,
    about: str | None = None,
    settings: dict[str, Any] | None = None,
    avatar_media_id: UUID | EllipsisType | None = ...,
) -> User:
    """Change the named fields of one's own profile and the named settings; return the changed person.

    Invalid for a misleading name. Only a username that the server generated can be changed, once: otherwise
    NotAllowed; Conflict if someone else has it. Unprocessable for media that can't be a picture; None removes it.
    """
    changes = settings or {}
    if display_name and (fault := name_error(display_name)):
        raise Invalid(fault, pointer="/display_name")

    def act(locked: Locked) -> User:
        me = locked.person(by.pk)
        before = (me.username, me.display_name, me.about, me.settings, me.avatar_id)
        username_change.change_username(me, me.username if username is None else username)
        me.display_name = me.display_name if display_name is None else display_name
        me.about = me.about if about is None else about
        me.settings = me.settings | changes
        if avatar_media_id is not ...:
            me.avatar_id = replace_avatar(me.avatar_id, avatar_media_id, owner_id=me.pk)
        if before != (me.username, me.display_name, me.about, me.settings, me.avatar_id):
            me.save(update_fields=["display_name", "folded_name", "about", "settings", "avatar_id"])
            refresh_permissions(locked.conversations)
            publish_user_change(people=[me.pk])
        return me

    touched = directs_of(by.pk) if "write" in changes else None
    return with_locks(act, people=lambda: {by.pk}, conversations=touched)
