"""Changing a username that the server generated."""

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.usernames import IS_KEPT, IS_TAKEN, is_kept
from chatproject.core.errors import Conflict, NotAllowed


def change_username(user: User, username: str) -> None:
    """Change a username that the server generated. Raises NotAllowed for others, Conflict if the new one is taken."""
    if username == user.username:
        return
    if not user.has_given_name:
        raise NotAllowed("Your username can't be changed.", pointer="/username")
    if is_kept(username):
        raise Conflict(IS_KEPT, pointer="/username")
    user.username, user.has_given_name = username, False
    try:
        with transaction.atomic():
            user.save(update_fields=["username", "has_given_name"])
    except IntegrityError:
        raise Conflict(IS_TAKEN, pointer="/username") from None
