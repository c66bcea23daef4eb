"""What people have chosen to let others do and see."""

from typing import Annotated, TypedDict, cast

from accounts.models import User
from chatproject.shapes import one_of

EVERYONE = "everyone"
CONTACTS = "contacts"

CHOICES: dict[str, tuple[str | bool, str | bool]] = {
    "write": (EVERYONE, CONTACTS),
    "add": (EVERYONE, CONTACTS),
    "last_seen": (True, False),
    "read_receipts": (True, False),
}
"""Who may write to a person, who may add them to groups, and whether others see when they were here and what they have
read: every setting with the values it may have. The first one is the default."""


class SettingsJSON(TypedDict):
    """What a person has chosen."""

    write: Annotated[str, one_of(EVERYONE, CONTACTS)]
    add: Annotated[str, one_of(EVERYONE, CONTACTS)]
    last_seen: bool
    read_receipts: bool


def chosen(user: User) -> SettingsJSON:
    """Tell what a person has chosen, and the default where they have not."""
    return cast("SettingsJSON", {name: user.settings.get(name, values[0]) for name, values in CHOICES.items()})


def shows_read(user: User) -> bool:
    """Tell whether others see what a person has read, and the person what they have."""
    return bool(chosen(user)["read_receipts"])


def is_choice(name: str, value: object) -> bool:
    """Tell whether a setting may have a value: neither 1 nor "true" is true."""
    return any(type(value) is type(choice) and value == choice for choice in CHOICES[name])
