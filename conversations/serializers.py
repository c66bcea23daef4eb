"""What may be said to the routes about conversations."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from chatproject.fields import BoundedListField, ReferenceField, Strict, TextField
from conversations.models import Conversation


class NewConversation(Strict):
    """Either a direct conversation with one person or a group with some."""

    kind = serializers.ChoiceField(choices=Conversation.Kind.choices)
    to = ReferenceField(required=False)
    name = TextField(max_length=100, required=False, trim_whitespace=True)
    description = TextField(max_length=500, required=False, allow_blank=True)
    participants = BoundedListField(child=ReferenceField(), max_length=settings.GROUP_MEMBERS, required=False)
    history = serializers.ChoiceField(choices=Conversation.History.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = "to" if attrs["kind"] == Conversation.Kind.DIRECT else "name"
        if needed not in attrs:
            raise serializers.ValidationError({needed: serializers.ErrorDetail("This is needed.", "required")})
        return attrs
