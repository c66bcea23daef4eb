"""Serializer fields with strict types: no value is converted."""

import re
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from chatproject.core.ids import parse_uuid7

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class StrictSerializer(serializers.Serializer[Any]):
    """The base of all request serializers. Unknown fields are ignored."""


class TextField(serializers.CharField):
    """A string; no other type is accepted, and it is not trimmed unless `trim_whitespace` is set."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=options.pop("trim_whitespace", False), **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(serializers.Field):  # type: ignore[type-arg]
    """A UUID version 7 in its canonical form."""

    default_error_messages = {"invalid": "This is not a UUID version 7."}

    def to_internal_value(self, data: Any) -> Any:
        try:
            return parse_uuid7(data)
        except (ValueError, AttributeError, TypeError):
            self.fail("invalid")

    def to_representation(self, value: Any) -> str:
        return str(value)


class BoundedListField(serializers.ListField):
    """A list whose length is checked before its items."""

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self._most = max_length

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > self._most:
            self.fail("max_length", max_length=self._most)
        items: list[Any] = super().to_internal_value(data)
        return items


class PositionField(serializers.IntegerField):
    """A whole number of at least 0; strings and booleans are refused."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=2**63 - 1, **options)

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class TimestampField(serializers.Field):  # type: ignore[type-arg]
    """A time in the format of RFC 3339 with an offset, converted to UTC."""

    default_error_messages = {"invalid": "This is no time of RFC 3339, like 2026-01-31T12:00:00.000Z."}

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not RFC_3339.fullmatch(data):
            self.fail("invalid")
        try:
            return datetime.fromisoformat(data.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")

    def to_representation(self, value: Any) -> Any:
        return value


class StrictBooleanField(serializers.Field):  # type: ignore[type-arg]
    """A JSON boolean; strings and numbers are refused."""

    default_error_messages = {"invalid": "This is true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value
