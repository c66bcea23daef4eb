"""What a request asks for, if it asks for it in the plain way."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from chatproject.core.pagination import PAGE_SIZE_MAX
from messaging.sync.history import HISTORY_PAGE_SIZE

ID = r"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"
PAGE_PATH = re.compile(f"/api/v1/messages/conversation/{ID}")
MESSAGE_PATH = re.compile(f"/api/v1/messages/{ID}")
NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page of a conversation: the newest messages, or those before or after a position."""

    conversation_id: UUID
    limit: int
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """Which message."""

    message_id: UUID


Query = PageQuery | MessageQuery


def query_of(scope: Mapping[str, Any]) -> Query | None:
    """Return what a request asks for; None if it asks for something else, or in another way."""
    if scope["method"] == "GET":
        for path, read in READERS:
            if found := path.fullmatch(scope["path"]):
                return read(UUID(found[1]), scope["query_string"].decode("latin1"))
    return None


def _page(id: UUID, text: str) -> PageQuery | None:
    pairs = parse_qsl(text, keep_blank_values=True)
    given = {name: int(value) for name, value in pairs if NUMBER.fullmatch(value)}
    is_plain = len(given) == len(pairs) and given.keys() <= {"limit", "before", "after"}
    limit = min(given.pop("limit", HISTORY_PAGE_SIZE), PAGE_SIZE_MAX)
    if not is_plain or len(given) > 1 or limit == 0:
        return None
    return PageQuery(id, limit, before=given.get("before"), after=given.get("after"))


def _message(id: UUID, text: str) -> MessageQuery | None:
    return None if text else MessageQuery(id)


READERS: list[tuple[re.Pattern[str], Callable[[UUID, str], Query | None]]] = [
    (PAGE_PATH, _page),
    (MESSAGE_PATH, _message),
]
