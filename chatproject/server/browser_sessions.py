"""Browser sessions in the database. Only the digest of a session key is stored, so that a copy of the database opens no
session.
"""

import hashlib
import re
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

KEY = re.compile(r"[a-z0-9]{8,40}")
DIGEST_LETTERS = 40
"""The size of the column: 160 of the 256 bits of SHA-256."""


def digest(key: str) -> str:
    """Return the digest by which the database identifies a session."""
    return hashlib.sha256(key.encode()).hexdigest()[:DIGEST_LETTERS]


class SessionStore(DatabaseStore):
    """Django's store without the key itself. A cookie that cannot be a key, for instance one with NUL, is ignored."""

    # The asynchronous methods of the database store search for the key itself; these call the methods below.
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
