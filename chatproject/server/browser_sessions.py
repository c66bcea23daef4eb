"""What is kept for a browser, in the database: a cookie that could be no key of ours counts as none.

A row is found by the digest of its key, as everything that lets someone in is: a copy of the database opens no session.
"""

import hashlib
import re
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

KEY = re.compile(r"[a-z0-9]{8,40}")
DIGEST_LETTERS = 40
"""What the column has room for: 160 of the 256 bits of SHA-256."""


def digest(key: str) -> str:
    """Give what the database knows a session by."""
    return hashlib.sha256(key.encode()).hexdigest()[:DIGEST_LETTERS]


class SessionStore(DatabaseStore):
    """Django's store, which keeps no key, and never asks the database for what it can't take, such as NUL."""

    # Those of the database store look for the key itself; these call the methods below.
    aload, aexists, acreate = SessionBase.aload, SessionBase.aexists, SessionBase.acreate
    asave, adelete = SessionBase.asave, SessionBase.adelete

    def exists(self, session_key: str) -> bool:
        return super().exists(digest(session_key))

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            super().delete(digest(key))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        row.session_key = digest(row.session_key)
        return row

    def _get_session_from_db(self) -> Any:
        live = self.model.objects.filter(expire_date__gt=timezone.now())
        row = live.filter(session_key=digest(self.session_key or "")).first()
        if row is None:
            self._session_key = None
        return row

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and KEY.fullmatch(key) is not None
