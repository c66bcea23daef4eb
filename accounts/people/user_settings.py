"""The settings of a person: who may write to or add them, what others see of them, theme and language."""

from typing import Annotated, TypedDict, cast

from django.conf import settings

from accounts.models import User
from chatproject.core.json_types import one_of

EVERYONE = "everyone"
CONTACTS = "contacts"
SYSTEM, LIGHT, DARK = "system", "light", "dark"
AUTO = "auto"
LANGUAGES = {code.partition("-")[0]: code for code, _ in settings.LANGUAGES}
"""Django's code of each language that the server has, by the tag in the contract."""

CHOICES: dict[str, tuple[str | bool, ...]] = {
    "write": (EVERYONE, CONTACTS),
    "add": (EVERYONE, CONTACTS),
    "last_seen": (True, False),
    "read_receipts": (True, False),
    "theme": (SYSTEM, LIGHT, DARK),
    "language": (AUTO, *LANGUAGES),
}
"""Every setting with its possible values: who may write to a person and add them to groups, whether others see when
they were last online and what they have read, the theme and the language of pages. The first value is the default;
`auto` is the language that the browser asks for."""


class SettingsJSON(TypedDict):
    """The settings of a person."""

    write: Annotated[str, one_of(EVERYONE, CONTACTS)]
    add: Annotated[str, one_of(EVERYONE, CONTACTS)]
    last_seen: bool
    read_receipts: bool
    theme: Annotated[str, one_of(SYSTEM, LIGHT, DARK)]
    language: Annotated[str, one_of(AUTO, *LANGUAGES)]


def settings_of(user: User) -> SettingsJSON:
    """Return the settings of a person, with the default for each one that they have not chosen."""
    return cast("SettingsJSON", {name: user.settings.get(name, values[0]) for name, values in CHOICES.items()})


def is_valid_choice(name: str, value: object) -> bool:
    """Return whether a setting may have a value. The types must match: 1 and "true" are not valid for true."""
    return any(type(value) is type(choice) and value == choice for choice in CHOICES[name])
