"""Two small tables for tests of migrations: papers in weeks, and pencils in one piece."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection, models
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState
from django.db.models import Q

APP = "drawer"
INDEX = models.Index(fields=["said"], name="by_said", condition=Q(said__gt=""))


class Drawer:
    """Two tables of a model each, one partitioned, and their state as migrations see it."""

    def __init__(self) -> None:
        self.state = ProjectState()
        for name in ("Paper", "Pencil"):
            fields = [("id", models.BigIntegerField(primary_key=True)), ("said", models.TextField(default=""))]
            CreateModel(name=name, fields=fields).state_forwards(APP, self.state)

    def apply(self, operation: Any) -> None:
        before = self.state
        after = before.clone()
        operation.state_forwards(APP, after)
        with connection.schema_editor(atomic=False) as editor:
            operation.database_forwards(APP, editor, before, after)
        self.state = after

    def unapply(self, operation: Any, *, before: ProjectState) -> None:
        with connection.schema_editor(atomic=False) as editor:
            operation.database_backwards(APP, editor, self.state, before)
        self.state = before


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def fetch(query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def add_week(number: int) -> None:
    """Make a partition as `messaging.retention.partitions` does."""
    name, first = f"drawer_paper_{number}", number * 1000
    execute(
        f"CREATE TABLE {name} (LIKE drawer_paper INCLUDING ALL)",
        f"ALTER TABLE drawer_paper ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({first + 1000})",
    )


def soon(seconds: float, work: Callable[[], Any]) -> threading.Timer:
    timer = threading.Timer(seconds, work)
    timer.start()
    return timer
