"""Registration: new accounts with a username and a password."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.auth.passwords import hashing_turn
from accounts.hashers import normal_password
from accounts.models import User
from accounts.usernames import IS_KEPT, IS_TAKEN, is_kept
from chatproject.core.text import name_error


class NameTaken(Exception):
    """The username is taken or reserved."""


def register(*, username: str, password: str, display_name: str = "", email: str = "") -> User:
    """Create an account. Raises NameTaken, or ValidationError for an invalid name or a password that is too weak."""
    user = User(username=username.lower(), display_name=display_name, email=email)
    user.clean_fields(exclude=["password"])
    if display_name and (fault := name_error(display_name)):
        raise ValidationError({"display_name": fault})
    validate_password(normal_password(password), user)
    if is_kept(user.username):
        raise NameTaken(IS_KEPT)
    try:
        with hashing_turn(), transaction.atomic():
            return User.objects.create_user(username, password, display_name=display_name, email=email)
    except IntegrityError as error:
        raise NameTaken(IS_TAKEN) from error
