"""Django's PostgreSQL with bounds on transactions: what was begun ends within `settings.TRANSACTION_SECONDS`.

`/sync` looks back over a minute for what was written and not yet committed, and rests on it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import psycopg
from django.conf import settings
from django.db import OperationalError
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property

ENDED = (psycopg.errors.TransactionTimeout, psycopg.errors.IdleInTransactionSessionTimeout)


class Errors(DatabaseErrorWrapper):
    """Django's own, but for a transaction that was ended: that is no mistake of ours."""

    wrapper: base.DatabaseWrapper

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ENDED):
            self.wrapper.errors_occurred = True
            raise OperationalError(*error.args) from error
        super().__exit__(kind, error, trace)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose transactions end by themselves: the pool bounds each once, when it is made."""

    def _configure_connection(self, connection: Any) -> bool:
        super()._configure_connection(connection)  # type: ignore[misc] # unknown to the stubs
        _bound(connection, seconds=settings.TRANSACTION_SECONDS)
        return True

    @cached_property
    def wrap_database_errors(self) -> Errors:
        return Errors(self)

    @contextmanager
    def unbounded(self) -> Iterator[None]:
        """Let transactions take their time, as migrations of large tables do."""
        self.ensure_connection()
        _bound(self.connection, seconds=0)
        try:
            yield
        finally:
            self.ensure_connection()
            _bound(self.connection, seconds=settings.TRANSACTION_SECONDS)


def _bound(connection: Any, *, seconds: float) -> None:
    """Bound each wait for a lock by a fifth of the time, each statement and each pause by half of it, and the whole
    where the server knows how to (17).
    """
    fifth, half, whole = (f"{seconds * 1000 / part:.0f}" for part in (5, 2, 1))
    bounds = {"lock_timeout": fifth, "statement_timeout": half, "idle_in_transaction_session_timeout": half}
    if connection.info.server_version >= 170000:
        bounds["transaction_timeout"] = whole
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config(name, setting, false) FROM unnest(%s::text[], %s::text[]) AS bound(name, setting)",
            [list(bounds), list(bounds.values())],
        )
