"""Django's command, without the time limits that other transactions have."""

from typing import Any, cast

from django.core.management.commands import migrate
from django.db import connections

from chatproject.core.postgresql.base import DatabaseWrapper


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with cast("DatabaseWrapper", connections[options["database"]]).unbounded():
            super().handle(*args, **options)
