"""How people appear on pages: name, initials, colour, picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from chatproject.core.graphemes import first_grapheme

TONES = 8


def tone(of: str) -> int:
    """Return one of eight colours, always the same one for an id."""
    return int(of[-2:], 16) % TONES


def initials(name: str) -> str:
    """Return the first letters of the first and the last word; words that start with a symbol are skipped."""
    words = [word for word in name.split() if word[0].isalnum()] or name.split()
    return "".join(first_grapheme(word).upper() for word in (words[:1] + words[1:][-1:]))


@dataclass(frozen=True, slots=True)
class PersonLink:
    """A person's name and colour, with the URL of their page."""

    id: str
    name: str

    @property
    def url(self) -> str:
        return reverse("person", args=[self.id])

    @property
    def initials(self) -> str:
        return initials(self.name)

    @property
    def tone(self) -> int:
        return tone(self.id)


@dataclass(frozen=True, slots=True)
class Person(PersonLink):
    """A person in a list of people."""

    username: str
    role: str = ""
    avatar: str = ""

    @classmethod
    def of(cls, user: Mapping[str, Any], role: str = "") -> "Person":
        name, avatar = user["display_name"] or user["username"], user["avatar_url"] or ""
        return cls(id=user["id"], name=name, username=user["username"], role=role, avatar=avatar)
