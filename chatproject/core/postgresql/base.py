"""Django's PostgreSQL backend with time limits, and a pool that survives a restart of the database.

Every transaction ends within `settings.TRANSACTION_SECONDS`.

`/sync` relies on this: it looks back over one minute for changes that were written but not yet committed.
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
from psycopg_pool import ConnectionPool

ENDED = (psycopg.errors.TransactionTimeout, psycopg.errors.IdleInTransactionSessionTimeout)


class Errors(DatabaseErrorWrapper):
    """Django's error wrapper, except that an aborted transaction is an OperationalError, not a programming error."""

    wrapper: base.DatabaseWrapper

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ENDED):
            self.wrapper.errors_occurred = True
            raise OperationalError(*error.args) from error
        super().__exit__(kind, error, trace)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection with limits on its transactions, which the pool sets once, when it opens the connection."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Take a connection from the pool. If it was lost, as all are when the database restarts, replace all at once.

        The pool would replace only those that it comes across, and wait for a second after the second one, then for
        two and four: requests would fail for as long.
        """
        connection = super().get_new_connection(conn_params)
        if (pool := self.pool) is None or _is_alive(pool, connection):
            return connection
        pool.putconn(connection)
        pool.drain()
        return super().get_new_connection(conn_params)

    def _configure_connection(self, connection: Any) -> bool:
        super()._configure_connection(connection)  # type: ignore[misc] # unknown to the stubs
        _set_limits(connection, seconds=settings.TRANSACTION_SECONDS)
        return True

    @cached_property
    def wrap_database_errors(self) -> Errors:
        return Errors(self)

    @contextmanager
    def unbounded(self) -> Iterator[None]:
        """Lift the limits, for migrations of large tables."""
        self.ensure_connection()
        _set_limits(self.connection, seconds=0)
        try:
            yield
        finally:
            self.ensure_connection()
            _set_limits(self.connection, seconds=settings.TRANSACTION_SECONDS)


def _is_alive(pool: ConnectionPool, connection: Any) -> bool:
    try:
        pool.check_connection(connection)
    except psycopg.Error:
        return False
    return True


def _set_limits(connection: Any, *, seconds: float) -> None:
    """Limit each wait for a lock to a fifth of the time, each statement and idle pause to half of it, and the whole
    transaction to all of it where the server supports that (PostgreSQL 17).
    """
    fifth, half, whole = (f"{seconds * 1000 / part:.0f}" for part in (5, 2, 1))
    limits = {"lock_timeout": fifth, "statement_timeout": half, "idle_in_transaction_session_timeout": half}
    if connection.info.server_version >= 170000:
        limits["transaction_timeout"] = whole
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config(name, setting, false) FROM unnest(%s::text[], %s::text[]) AS t(name, setting)",
            [list(limits), list(limits.values())],
        )
