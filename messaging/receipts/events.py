"""Receipts: the events that tell the members of a conversation what was delivered to others and read by them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypedDict
from uuid import UUID

from chatproject.core.json_types import Count, IdText
from chatproject.core.realtime import Event, HubEvent, conversation_group

LARGE_GROUP = 100
"""Members of a group above which a receipt is published only to the senders of the messages that it is about."""


class ReceiptJSON(TypedDict):
    """How far messages were delivered to someone, and read by them."""

    user_id: IdText
    delivered_through: Count
    read_through: Count


@dataclass(frozen=True, slots=True)
class Receipts(Event):
    """More messages than before were delivered to people, or read. 0 is not known, or not for the recipient to know."""

    type: ClassVar[str] = "receipts"
    conversation_id: IdText
    receipts: list[ReceiptJSON]


class Receipt(NamedTuple):
    """The watermarks of someone, as far as the others may know them."""

    user_id: UUID
    delivered: int
    read: int
    """0 if they hide it."""
    has_more: bool
    """Whether more was delivered than before: only then there is a receipt for people who do not see reading."""


class ReceiptChange(NamedTuple):
    """A receipt, the epoch of its conversation, and its recipients; None: all members."""

    conversation_id: UUID
    epoch: int
    receipt: Receipt
    recipients: Sequence[UUID] | None


class ReceiptsChanged(HubEvent, frozen=True, tag="receipts"):
    """Receipts of a conversation, outside any order; for these recipients, or for all members where that is None."""

    conversation_id: UUID
    epoch: int
    receipts: list[Receipt]
    recipients: list[UUID] | None

    @property
    def group(self) -> str:
        return conversation_group(self.conversation_id)


def receipts_changed(changes: Iterable[ReceiptChange]) -> list[ReceiptsChanged]:
    """Write receipts as events, one for all receipts of a conversation that have the same recipients."""
    gathered: dict[tuple[UUID, frozenset[UUID] | None], list[ReceiptChange]] = {}
    for each in changes:
        key = each.conversation_id, None if each.recipients is None else frozenset(each.recipients)
        gathered.setdefault(key, []).append(each)
    return [
        ReceiptsChanged(
            id,
            max(each.epoch for each in found),
            [each.receipt for each in found],
            None if recipients is None else list(recipients),
        )
        for (id, recipients), found in gathered.items()
        if recipients is None or recipients
    ]


def frame_of(conversation_id: UUID, receipts: Iterable[Receipt], *, shows_read: bool) -> bytes:
    """Write the frame for people who see what others have read, or for those who do not; empty if nothing remains."""
    shown: list[ReceiptJSON] = [
        {
            "user_id": str(each.user_id),
            "delivered_through": each.delivered,
            "read_through": each.read if shows_read else 0,
        }
        for each in receipts
        if shows_read or each.has_more
    ]
    return Receipts(str(conversation_id), shown).frame() if shown else b""
