"""Django's command, for databases that are in use: short waits for locks, repeated, by one server at a time.

Index builds may take hours, so statements have no time limit.
"""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections

from chatproject.core.migration_locks import LOCK_TIMEOUT_MS, LockNotObtained, alone, lock_timeout, retried


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        on: Any = connections[options["database"]]
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        with on.unbounded(), alone(on, report=self._report), lock_timeout(on, LOCK_TIMEOUT_MS):
            self._migrate(on, *args, **options)

    def _migrate(self, on: Any, *args: Any, **options: Any) -> None:
        """Migrate; after a lock that could not be had, go on with the migration that was not applied."""
        handle = super().handle
        try:
            retried(lambda: handle(*args, **options), on=on, report=self._report)
        except LockNotObtained as error:
            raise CommandError(str(error)) from error

    def _report(self, text: str) -> None:
        self.stderr.write(text)
