"""People as others find and see them, through the REST door."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.directory import search_people
from accounts.models import User
from accounts.people import befriend
from conversations.closing import close_account
from conversations.models import Conversation
from messaging.inbox import show_conversation

Rest = Callable[[User], "Rest_"]
DEFAULTS = {"write": "everyone", "add": "everyone", "last_seen": True, "read_receipts": True}


class Rest_:  # noqa: N801 (the fixture's name is the one that is read)
    """A person's REST client inside the process."""

    def __init__(self, access: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {access}"})

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        sent = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self._client, method)(f"/api/v1{path}", **sent)
