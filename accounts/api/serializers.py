"""Serializers of the request bodies of the routes about people."""

from itertools import islice
from typing import Any

from django.core.validators import EmailValidator
from rest_framework import serializers

from accounts.api.fields import ReferenceField, WalletField
from accounts.models import username_validators
from accounts.people.user_settings import CHOICES, is_valid_choice
from chatproject.core.text import name_error
from chatproject.rest.fields import IdField, StrictBooleanField, StrictSerializer, TextField


class Credentials(StrictSerializer):
    username = TextField(max_length=150)
    password = TextField(max_length=1000)
    code = TextField(max_length=32, required=False)
    device = TextField(max_length=200, required=False, allow_blank=True)
    device_token = TextField(max_length=100, required=False, allow_blank=True)


class NonceWish(StrictSerializer):
    address = WalletField(required=False)


class WalletProof(StrictSerializer):
    message = TextField(max_length=4000, allow_blank=True)
    signature = TextField(max_length=1000, allow_blank=True)
    code = TextField(max_length=32, required=False)
    device = TextField(max_length=200, required=False, allow_blank=True)
    device_token = TextField(max_length=100, required=False, allow_blank=True)


class Registration(StrictSerializer):
    username = TextField(validators=[])
    password = TextField(max_length=1000)
    display_name = TextField(max_length=80, required=False, trim_whitespace=True)
    email = TextField(max_length=254, required=False, allow_blank=True, validators=[])
    device = TextField(max_length=200, required=False, allow_blank=True)

    def validate_username(self, value: str) -> str:
        return _folded(value)

    def validate_display_name(self, value: str) -> str:
        if fault := name_error(value):
            raise serializers.ValidationError(fault, "invalid")
        return value

    def validate_email(self, value: str) -> str:
        if value:
            EmailValidator()(value)
        return value


class NewPassword(StrictSerializer):
    old_password = TextField(max_length=1000)
    new_password = TextField(max_length=1000)
    unlink_wallets = StrictBooleanField(default=False)
    code = TextField(max_length=32, required=False)


class Refresh(StrictSerializer):
    refresh = TextField(max_length=4000)


def _folded(username: str) -> str:
    """Fold a username to lower case, then validate it."""
    folded = username.lower()
    for validator in username_validators:
        validator(folded)
    return folded


class SettingsField(serializers.Field):  # type: ignore[type-arg]
    """Some of a person's settings; only known names with valid values."""

    default_error_messages = {"invalid": "Send an object of settings."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        faulty = ((name, fault) for name, value in data.items() if (fault := _fault(name, value)))
        # At most one error per existing setting is reported, however many unknown names were sent.
        if faults := dict(islice(faulty, len(CHOICES))):
            raise serializers.ValidationError(faults, "invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def _fault(name: str, value: Any) -> str | None:
    """Return what is wrong with a setting; None if it is valid."""
    if name not in CHOICES:
        return "There is no such setting."
    if is_valid_choice(name, value):
        return None
    return f"This is {' or '.join(str(choice).lower() for choice in CHOICES[name])}."


class ProfileChange(StrictSerializer):
    username = TextField(required=False, validators=[])
    display_name = TextField(max_length=80, required=False, trim_whitespace=True)
    about = TextField(max_length=500, required=False, allow_blank=True)
    settings = SettingsField(required=False)
    avatar_media_id = IdField(required=False, allow_null=True)

    def validate_username(self, value: str) -> str:
        return _folded(value)


class NewInvitation(StrictSerializer):
    to = ReferenceField()


class PasswordOrWallet(StrictSerializer):
    """A password, or a message that a wallet has signed."""

    password = TextField(max_length=1000, required=False)
    message = TextField(max_length=4000, required=False, allow_blank=True)
    signature = TextField(max_length=1000, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require the password, unless both the message and its signature are given."""
        if "password" not in attrs and not {"message", "signature"} <= attrs.keys():
            raise serializers.ValidationError({"password": "Give the password, or a signature with its message."})
        return attrs


class Closing(PasswordOrWallet):
    """What proves that a person closes their own account."""


class Confirmation(PasswordOrWallet):
    """What confirms a person's identity, with a code if there is a second factor."""

    code = TextField(max_length=32, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ignore the signature if there is a password."""
        shown = {"password", "code"} if "password" in attrs else {"message", "signature", "code"}
        return {name: value for name, value in super().validate(attrs).items() if name in shown}
