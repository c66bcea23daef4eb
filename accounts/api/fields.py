"""Serializer fields for wallets and for references to people."""

from typing import Any

from rest_framework import serializers

from accounts.wallets.ethereum import checksummed
from chatproject.rest.fields import IdField, TextField


class WalletField(TextField):
    """The address of a wallet; mixed case must match its checksum. It is returned with its checksum."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return checksummed(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error), "invalid") from None


class ReferenceField(serializers.Field):  # type: ignore[type-arg]
    """A reference to a person: `{"id"}`, `{"username"}` or `{"wallet"}`."""

    default_error_messages = {"invalid": 'Name a person by exactly one of "id", "username" and "wallet".'}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict) or len(data.keys() & {"id", "username", "wallet"}) != 1:
            self.fail("invalid")
        kind = next(iter(data.keys() & {"id", "username", "wallet"}))
        fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {"id": IdField(), "wallet": WalletField()}
        return {kind: fields.get(kind, TextField(max_length=150)).run_validation(data[kind])}

    def to_representation(self, value: Any) -> Any:
        return value
