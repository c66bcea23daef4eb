"""What is told of how far people have had and read what was said: receipts, gathered by conversation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypedDict
from uuid import UUID

from chatproject.core.json_types import Count, IdText
from chatproject.core.realtime import Event, HubEvent, conversation_group

EVERYONE_HEARS = 100
"""In groups of more, only those hear of receipts whose words they are about."""


class ReceiptJSON(TypedDict):
    """How far someone has come."""

    user_id: IdText
    delivered_through: Count
    read_through: Count


@dataclass(frozen=True, slots=True)
class Receipts(Event):
    """People have had, or read, more than before. 0 is not known, or not for the hearer to know."""

    type: ClassVar[str] = "receipts"
    conversation_id: IdText
    receipts: list[ReceiptJSON]


class Receipt(NamedTuple):
    """How far someone has come, as the others may know it."""

    user_id: UUID
    delivered: int
    read: int
    """0 if they do not let it be seen."""
    has_more: bool
    """Whether more was delivered than before: what remains to be told to those who see nothing of reading."""


class News(NamedTuple):
    """A receipt, the epoch of its conversation, and whose words it is about where nobody else hears of it."""

    conversation_id: UUID
    epoch: int
    receipt: Receipt
    hearers: Sequence[UUID] | None


class ReceiptsChanged(HubEvent, frozen=True, tag="receipts"):
    """Receipts of a conversation, outside any order; for these recipients, or for all members where that is None."""

    conversation_id: UUID
    epoch: int
    receipts: list[Receipt]
    recipients: list[UUID] | None

    @property
    def group(self) -> str:
        return conversation_group(self.conversation_id)


def receipts_changed(news: Iterable[News]) -> list[ReceiptsChanged]:
    """Write receipts as events, one for all receipts of a conversation that have the same recipients."""
    gathered: dict[tuple[UUID, frozenset[UUID] | None], list[News]] = {}
    for each in news:
        key = each.conversation_id, None if each.hearers is None else frozenset(each.hearers)
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
    """Write receipts for those who see what others have read, or for those who do not; empty if nothing is left."""
    told: list[ReceiptJSON] = [
        {
            "user_id": str(each.user_id),
            "delivered_through": each.delivered,
            "read_through": each.read if shows_read else 0,
        }
        for each in receipts
        if shows_read or each.has_more
    ]
    return Receipts(str(conversation_id), told).frame() if told else b""
