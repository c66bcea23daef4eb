"""What happened to messages: the events that are published to the members of a conversation."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chatproject.core.json_types import Count, IdText
from chatproject.core.realtime import ConversationEvent, Event
from messaging.messages.json import MessageJSON


@dataclass(frozen=True, slots=True)
class MessageCreated(Event):
    """Someone said something."""

    type: ClassVar[str] = "message.created"
    conversation_id: IdText
    version: Count
    message: MessageJSON


@dataclass(frozen=True, slots=True)
class MessageUpdated(MessageCreated):
    """Something said has changed."""

    type: ClassVar[str] = "message.updated"


def message_created(conversation_id: UUID, epoch: int, message: MessageJSON) -> ConversationEvent:
    """Write a new message as an event for everyone who is in its conversation."""
    position = message["position"]
    frame = MessageCreated(str(conversation_id), position, message).frame()
    return ConversationEvent(conversation_id, position, epoch, frame)


def message_updated(conversation_id: UUID, epoch: int, message: MessageJSON) -> ConversationEvent:
    """Write what a message is now as an event for everyone who is in its conversation."""
    frame = MessageUpdated(str(conversation_id), message["version"], message).frame()
    return ConversationEvent(conversation_id, message["version"], epoch, frame, since=message["position"])
