"""What a frame makes happen: for each command one function, found by the kind of frame.

A function takes the device that asks and the frame, calls one command, and answers. What it raises is answered by the
door, `consumer.py`, as the contract says.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec
from django.utils import timezone

from accounts.models import User
from accounts.people.references import find_user
from chatproject.core.database import in_thread
from chatproject.core.rate_limits import quotas
from chatproject.core.realtime import encode, timestamp
from conversations.access import participant_of
from messaging.messages.edit import delete_message, edit_message
from messaging.messages.group_commit import GroupCommit
from messaging.messages.json import MessageJSON
from messaging.messages.outcome import SendResult
from messaging.messages.reactions import add_reaction, remove_reaction
from messaging.messages.send import send_direct, submit_message
from messaging.realtime.hub import Hub
from messaging.receipts.batcher import WatermarkBatcher
from messaging.receipts.commands import mark_delivered, mark_read
from messaging.socket.commands import (
    BadFrame,
    Command,
    Connect,
    ConversationClose,
    ConversationOpen,
    Delivered,
    MessageChange,
    MessageDelete,
    MessageEdit,
    MessageSend,
    Ping,
    PresenceWatch,
    ReactionAdd,
    ReactionRemove,
    Read,
    Typing,
    ack,
    answered,
)

T = TypeVar("T")


class Device(Protocol):
    """A signed-in socket, as far as commands need it."""

    user_id: UUID
    session_id: UUID
    hub: Hub
    batcher: WatermarkBatcher
    group_commit: GroupCommit
    under_way: int
    """Sends that are not answered yet."""

    def deliver(self, frame: bytes) -> None: ...

    def deliver_if_idle(self, frame: bytes) -> bool: ...

    def end(self, code: int, error: str, detail: str) -> None: ...

    def acknowledge(self, ref: str | None, message: MessageJSON) -> None: ...

    def answer_send(self, ref: str | None, result: SendResult | Exception) -> None: ...

    async def next_answer(self) -> None: ...

    async def require_call(self, cost: int = 1) -> None: ...


UNDER_WAY_MOST = 64
"""Sends of one socket that may wait for their commit; more frames are read only when these are answered."""
HEARD_WITHIN = 2.0
"""Seconds in which a server hears of a conversation that has begun elsewhere, if all is well."""


def as_person(user_id: UUID, command: Callable[..., T], **fields: Any) -> T:
    """Run a command for someone as they are now; an idle socket keeps nothing of its person but the id."""
    return command(by=User.objects.get(pk=user_id), **fields)


async def obey(device: Device, frame: Command) -> None:
    """Do what a frame asks for."""
    await HANDLERS[type(frame)](device, frame)


async def send_message(device: Device, frame: MessageSend) -> None:
    """Send a message, without waiting for its commit if that can be shared with messages that follow."""
    if (frame.conversation_id is None) == (frame.to is None):
        raise BadFrame("invalid", "Name either a conversation or a person.", pointer="/conversation_id")
    fields: dict[str, Any] = {name: getattr(frame, name) for name in ("text", "id", "kind", "media", "reply_to_id")}
    if frame.to is not None:
        result = await in_thread(as_person)(device.user_id, _send_to_person, reference=frame.to.named(), **fields)
        device.acknowledge(frame.ref, result.message)
    elif frame.conversation_id is not None:
        if device in device.hub.typing.published_at:
            device.hub.typing.end(device, frame.conversation_id)
        device.under_way += 1
        on_result = partial(device.answer_send, frame.ref)
        await submit_message(
            by_id=device.user_id,
            conversation_id=frame.conversation_id,
            group_commit=device.group_commit,
            on_result=on_result,
            **fields,
        )
        if device.under_way >= UNDER_WAY_MOST:
            await device.next_answer()


def _send_to_person(*, by: User, reference: dict[str, Any], **fields: Any) -> SendResult:
    return send_direct(by=by, to=find_user(reference, by=by), **fields)


CHANGES: dict[type[MessageChange], Callable[..., MessageJSON]] = {
    MessageEdit: edit_message,
    MessageDelete: delete_message,
    ReactionAdd: add_reaction,
    ReactionRemove: remove_reaction,
}


async def change_message(device: Device, frame: MessageChange) -> None:
    fields = msgspec.structs.asdict(frame)
    ref = fields.pop("ref")
    device.acknowledge(ref, await in_thread(as_person)(device.user_id, CHANGES[type(frame)], **fields))


async def delivered(device: Device, frame: Delivered) -> None:
    if device.hub.is_member(device.user_id, frame.conversation_id):
        device.batcher.add(frame.conversation_id, device.user_id, delivered=frame.through)
    else:
        await _mark_in_thread(mark_delivered, device, frame)


async def read(device: Device, frame: Read) -> None:
    if device.hub.is_member(device.user_id, frame.conversation_id):
        device.batcher.add(frame.conversation_id, device.user_id, read=frame.through)
    else:
        await _mark_in_thread(mark_read, device, frame)


async def _mark_in_thread(mark: Callable[..., object], device: Device, frame: Delivered | Read) -> None:
    """Ask the database where the hub knows of no place: someone may only just have come in, or be a stranger."""
    await device.require_call()
    fields = {"conversation_id": frame.conversation_id, "through": frame.through}
    await in_thread(as_person)(device.user_id, mark, **fields)


async def typing(device: Device, frame: Typing) -> None:
    await _until_heard(device, frame.conversation_id)
    indicators = device.hub.typing
    (indicators.start if frame.state == "start" else indicators.stop)(device, frame.conversation_id)


async def _until_heard(device: Device, conversation_id: UUID) -> None:
    """Wait a moment for a conversation that has only just begun; Conversation.DoesNotExist for strangers."""
    if device.hub.is_member(device.user_id, conversation_id):
        return
    await device.require_call()
    await in_thread(as_person)(device.user_id, participant_of, conversation_id=conversation_id)
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARD_WITHIN):
            while not device.hub.is_member(device.user_id, conversation_id):  # noqa: ASYNC110 (it is told by no event)
                await asyncio.sleep(0.02)


async def open_conversation(device: Device, frame: ConversationOpen) -> None:
    await _until_heard(device, frame.conversation_id)
    device.hub.open_conversation(device, frame.conversation_id)


async def close_conversation(device: Device, frame: ConversationClose) -> None:
    device.hub.close_conversation(device, frame.conversation_id)


async def watch_presence(device: Device, frame: PresenceWatch) -> None:
    await device.require_call(len(frame.user_ids) // quotas.WATCHED_PEOPLE_PER_CALL)
    seen = await device.hub.presence.watchers.watch(device, frame.user_ids)
    if frame.ref is not None:
        device.deliver(ack(frame.ref, seen.data()))


async def ping(device: Device, frame: Ping) -> None:
    now = {"server_time": timestamp(timezone.now())}
    device.deliver(encode({"type": "pong", **answered(frame.ref), "data": now}))


async def connect(device: Device, frame: Connect) -> None:
    raise BadFrame("invalid", "This socket is signed in already.")


HANDLERS: dict[type[Command], Callable[[Any, Any], Awaitable[None]]] = {
    MessageSend: send_message,
    **dict.fromkeys(CHANGES, change_message),
    Delivered: delivered,
    Read: read,
    Typing: typing,
    ConversationOpen: open_conversation,
    ConversationClose: close_conversation,
    PresenceWatch: watch_presence,
    Ping: ping,
    Connect: connect,
}
