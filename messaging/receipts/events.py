"""What is told of how far people have had and read what was said: receipts, gathered by conversation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypedDict
from uuid import UUID

from chatproject.core.json_types import Count, IdText
from chatproject.core.realtime import Envelope, Event, Post, conversation_group

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


def posts_of(news: Iterable[News]) -> list[Post]:
    """Address receipts to those who are in, one envelope for all of a conversation that the same people hear."""
    gathered: dict[tuple[UUID, frozenset[UUID] | None], Envelope] = {}
    for id, epoch, receipt, hearers in news:
        key = id, None if hearers is None else frozenset(hearers)
        envelope = gathered.setdefault(key, {"conversation": id.bytes, "epoch": epoch, "receipts": []})
        envelope["epoch"] = max(envelope["epoch"], epoch)
        envelope["receipts"].append([receipt.user_id.bytes, *receipt[1:]])
        if hearers is not None:
            envelope["hearers"] = [user_id.bytes for user_id in hearers]
    return [
        (conversation_group(id), envelope) for (id, _), envelope in gathered.items() if envelope.get("hearers") != []
    ]


def receipts_in(envelope: Envelope) -> list[Receipt]:
    """Read the receipts that came in an envelope."""
    return [Receipt(UUID(bytes=user_id), *rest) for user_id, *rest in envelope["receipts"]]


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
