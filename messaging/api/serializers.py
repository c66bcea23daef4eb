"""Serializers of the request bodies of the routes, and of the frames of the socket, about messages."""

from typing import Any

from rest_framework import serializers

from chatproject.rest.fields import BoundedListField, IdField, PositionField, StrictSerializer, TextField


class NewMessage(StrictSerializer):
    """A message to a conversation or to a person."""

    id = IdField(required=False)
    conversation_id = IdField(required=False)
    receiver_id = IdField(required=False)
    text = TextField(required=False, allow_blank=True, default="")
    kind = serializers.ChoiceField(choices=["text", "image", "video", "audio", "file"], required=False)
    media = BoundedListField(child=IdField(), max_length=10, required=False)
    reply_to_id = IdField(required=False, allow_null=True)
    forward_of_id = IdField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("conversation_id" in attrs) == ("receiver_id" in attrs):
            raise serializers.ValidationError({"conversation_id": "Name either a conversation or a receiver."})
        return attrs


class NewUpload(StrictSerializer):
    filename = TextField(max_length=1000)
    content_type = TextField(max_length=200)
    size = PositionField()


class NewText(StrictSerializer):
    """The new text of a message."""

    text = TextField(allow_blank=True)


class Watermark(StrictSerializer):
    through = PositionField()
