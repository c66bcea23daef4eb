"""One consumer a socket, which is in the group of each of its person's conversations."""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from tests.load.usual.models import Message, Participant, Token


class ChatConsumer(AsyncJsonWebsocketConsumer):
    """A device's socket."""

    async def connect(self) -> None:
        self.groups_joined: list[str] = []
        self.user_id = await self.find_user()
        if self.user_id is None:
            await self.close()
            return
        for conversation_id in await self.find_conversations():
            self.groups_joined.append(group_of(conversation_id))
            await self.channel_layer.group_add(group_of(conversation_id), self.channel_name)
        await self.accept()
        await self.send_json({"type": "connected"})

    async def disconnect(self, code: int) -> None:
        for group in self.groups_joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        if content["type"] == "message.send":
            await self.say(content)
        elif content["type"] == "delivered":
            await self.note_delivered(content["conversation_id"], content["through"])

    async def say(self, content: dict[str, Any]) -> None:
        message = await self.store(content["conversation_id"], content["text"])
        if message is None:
            await self.send_json({"type": "error", "ref": content["ref"], "data": {"code": "not_found"}})
            return
        await self.channel_layer.group_send(
            group_of(content["conversation_id"]), {"type": "message.created", "message": message}
        )
        await self.send_json({"type": "ack", "ref": content["ref"], "data": message})

    async def message_created(self, event: dict[str, Any]) -> None:
        await self.send_json({"type": "message.created", "data": {"message": event["message"]}})

    # The database

    @database_sync_to_async
    def find_user(self) -> int | None:
        shown = dict(self.scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
        return Token.objects.filter(key=shown).values_list("user_id", flat=True).first()

    @database_sync_to_async
    def find_conversations(self) -> list[int]:
        return list(Participant.objects.filter(user_id=self.user_id).values_list("conversation_id", flat=True))

    @database_sync_to_async
    def store(self, conversation_id: int, text: str) -> dict[str, Any] | None:
        """Store a message if its sender is in the conversation."""
        if not Participant.objects.filter(conversation_id=conversation_id, user_id=self.user_id).exists():
            return None
        message = Message.objects.create(conversation_id=conversation_id, sender_id=self.user_id, text=text)
        return {
            "conversation_id": conversation_id,
            "position": message.pk,
            "sender_id": self.user_id,
            "text": text,
            "created_at": message.created_at.isoformat(),
        }

    @database_sync_to_async
    def note_delivered(self, conversation_id: int, through: int) -> None:
        places = Participant.objects.filter(conversation_id=conversation_id, user_id=self.user_id)
        places.filter(delivered_through__lt=through).update(delivered_through=through)


def group_of(conversation_id: int | str) -> str:
    return f"conversation.{conversation_id}"
