"""The limits of a group: the length of its name and description, and how many members it may have."""

from django.conf import settings

from chatproject.core.errors import Invalid, Unprocessable
from chatproject.core.text import name_error, require_storable
from conversations.models import DESCRIPTION_LENGTH, NAME_LENGTH


def validated_name(text: str) -> str:
    """Return the trimmed name of a group; it has 1 to 100 code points, at least one of them visible."""
    name = text.strip()
    if not name:
        raise Unprocessable("A group needs a name.", pointer="/name")
    if fault := name_error(name):
        raise Invalid(fault, pointer="/name")
    if len(name) > NAME_LENGTH:
        raise Invalid(f"A name has at most {NAME_LENGTH} characters.", pointer="/name")
    return name


def validated_description(text: str) -> str:
    """Return the trimmed description of a group; it has at most 500 code points."""
    description = text.strip()
    if len(description) > DESCRIPTION_LENGTH:
        raise Invalid(f"A description has at most {DESCRIPTION_LENGTH} characters.", pointer="/description")
    require_storable(description, pointer="/description")
    return description


def check_size(members: int, *, pointer: str) -> None:
    """Raise Unprocessable if a group can't have so many members."""
    if members > settings.GROUP_MEMBERS:
        raise Unprocessable(f"A group has at most {settings.GROUP_MEMBERS} members.", pointer=pointer)
