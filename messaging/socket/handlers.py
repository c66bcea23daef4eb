"""The handlers of the frames that a client sends: one function for each type of frame.

A handler takes the socket's device and the frame, calls one command, and answers. `consumer.py` answers what a handler
raises with the error frame that the contract defines.
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
    ack_frame,
    ref_field,
)

T = TypeVar("T")


class Device(Protocol):
    """A signed-in socket, as handlers use it."""

    user_id: UUID
    session_id: UUID
    hub: Hub
    batcher: WatermarkBatcher
    group_commit: GroupCommit
    pending_sends: int
    """Sends that are not answered yet."""

    def deliver(self, frame: bytes) -> None: ...

    def deliver_if_idle(self, frame: bytes) -> bool: ...

    def end(self, code: int, error: str, detail: str) -> None: ...

    def acknowledge(self, ref: str | None, message: MessageJSON) -> None: ...

    def answer_send(self, ref: str | None, result: SendResult | Exception) -> None: ...

    async def next_answer(self) -> None: ...

    async def require_call(self, cost: int = 1) -> None: ...


PENDING_SENDS_MOST = 64
"""Sends of one socket that may wait for their commit; no further frame is read until one of them is answered."""
MEMBERSHIP_TIMEOUT = 2.0
"""Seconds within which the hub normally receives a membership that another server has committed."""


def run_as(user_id: UUID, command: Callable[..., T], **fields: Any) -> T:
    """Run a command as a person, who is loaded for it: an idle socket keeps only their id, to save memory."""
    return command(by=User.objects.get(pk=user_id), **fields)


async def handle(device: Device, frame: Command) -> None:
    """Call the handler of a frame."""
    await HANDLERS[type(frame)](device, frame)


async def send_message(device: Device, frame: MessageSend) -> None:
    """Send a message. In a conversation this does not wait for the commit, so that further messages can share it."""
    if (frame.conversation_id is None) == (frame.to is None):
        raise BadFrame("invalid", "Name either a conversation or a person.", pointer="/conversation_id")
    fields: dict[str, Any] = {name: getattr(frame, name) for name in ("text", "id", "kind", "media", "reply_to_id")}
    if frame.to is not None:
        result = await in_thread(run_as)(device.user_id, _send_to_person, reference=frame.to.named(), **fields)
        device.acknowledge(frame.ref, result.message)
    elif frame.conversation_id is not None:
        device.hub.typing.end(device, frame.conversation_id)
        device.pending_sends += 1
        on_result = partial(device.answer_send, frame.ref)
        await submit_message(
            by_id=device.user_id,
            conversation_id=frame.conversation_id,
            group_commit=device.group_commit,
            on_result=on_result,
            **fields,
        )
        if device.pending_sends >= PENDING_SENDS_MOST:
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
    device.acknowledge(ref, await in_thread(run_as)(device.user_id, CHANGES[type(frame)], **fields))


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
    """Set the watermark in the database where the hub knows no membership: it may be new, or there may be none."""
    await device.require_call()
    fields = {"conversation_id": frame.conversation_id, "through": frame.through}
    await in_thread(run_as)(device.user_id, mark, **fields)


async def typing(device: Device, frame: Typing) -> None:
    await _wait_for_membership(device, frame.conversation_id)
    indicators = device.hub.typing
    (indicators.start if frame.state == "start" else indicators.stop)(device, frame.conversation_id)


async def _wait_for_membership(device: Device, conversation_id: UUID) -> None:
    """Wait until the hub knows a membership that may be new; Conversation.DoesNotExist for strangers."""
    if device.hub.is_member(device.user_id, conversation_id):
        return
    await device.require_call()
    await in_thread(run_as)(device.user_id, participant_of, conversation_id=conversation_id)
    with suppress(TimeoutError):
        async with asyncio.timeout(MEMBERSHIP_TIMEOUT):
            while not device.hub.is_member(device.user_id, conversation_id):  # noqa: ASYNC110 (there is no event for it)
                await asyncio.sleep(0.02)


async def open_conversation(device: Device, frame: ConversationOpen) -> None:
    await _wait_for_membership(device, frame.conversation_id)
    device.hub.open_conversation(device, frame.conversation_id)


async def close_conversation(device: Device, frame: ConversationClose) -> None:
    device.hub.close_conversation(device, frame.conversation_id)


async def watch_presence(device: Device, frame: PresenceWatch) -> None:
    await device.require_call(len(frame.user_ids) // quotas.WATCHED_PEOPLE_PER_CALL)
    seen = await device.hub.presence.watchers.watch(device, frame.user_ids)
    if frame.ref is not None:
        device.deliver(ack_frame(frame.ref, seen.data()))


async def ping(device: Device, frame: Ping) -> None:
    now = {"server_time": timestamp(timezone.now())}
    device.deliver(encode({"type": "pong", **ref_field(frame.ref), "data": now}))


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
