"""Serializers of the request bodies of the routes about conversations."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from accounts.api.fields import ReferenceField
from chatproject.rest.fields import (
    BoundedListField,
    IdField,
    PositionField,
    StrictBooleanField,
    StrictSerializer,
    TextField,
    TimestampField,
)
from conversations.models import DESCRIPTION_LENGTH, NAME_LENGTH, Conversation, Participant


class NewConversation(StrictSerializer):
    """A direct conversation with one person, or a group."""

    kind = serializers.ChoiceField(choices=Conversation.Kind.choices)
    to = ReferenceField(required=False)
    name = TextField(max_length=NAME_LENGTH, required=False, trim_whitespace=True)
    description = TextField(max_length=DESCRIPTION_LENGTH, required=False, allow_blank=True)
    participants = BoundedListField(child=ReferenceField(), max_length=settings.GROUP_MEMBERS, required=False)
    history = serializers.ChoiceField(choices=Conversation.History.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = "to" if attrs["kind"] == Conversation.Kind.DIRECT else "name"
        if needed not in attrs:
            raise serializers.ValidationError({needed: serializers.ErrorDetail("This is needed.", "required")})
        return attrs


class GroupChange(StrictSerializer):
    """The fields of a group to change."""

    name = TextField(max_length=NAME_LENGTH, required=False, trim_whitespace=True)
    description = TextField(max_length=DESCRIPTION_LENGTH, required=False, allow_blank=True)
    history = serializers.ChoiceField(choices=Conversation.History.choices, required=False)
    avatar_media_id = IdField(required=False, allow_null=True)


class NewMembers(StrictSerializer):
    users = BoundedListField(child=ReferenceField(), max_length=settings.GROUP_MEMBERS)


class RoleChange(StrictSerializer):
    role = serializers.ChoiceField(choices=Participant.Role.choices)


class Successor(StrictSerializer):
    to = ReferenceField()


class NewLink(StrictSerializer):
    expires_at = TimestampField(required=False, allow_null=True)
    max_uses = PositionField(required=False, allow_null=True)


class PlaceChange(StrictSerializer):
    """The personal settings of a conversation to change."""

    notify = serializers.ChoiceField(choices=Participant.Notify.choices, required=False)
    muted_until = TimestampField(required=False, allow_null=True)
    pinned = StrictBooleanField(required=False)
    archived = StrictBooleanField(required=False)
    draft = TextField(max_length=settings.TEXT_LENGTH, required=False, allow_blank=True, allow_null=True)
