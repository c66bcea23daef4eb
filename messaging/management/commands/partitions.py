"""`manage.py partitions`: the weekly partitions of messages, for operators."""

from datetime import datetime
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from messaging.retention.partitions import (
    Partition,
    all_partitions,
    drop_old_partitions,
    due_partitions,
    make_partitions,
)

SIZES = """
SELECT c.relname, GREATEST(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid)
FROM pg_class c WHERE c.oid = ANY(%s::regclass[])
"""


class Command(BaseCommand):
    help = "List the weekly partitions of messages, create those ahead, or drop those past their retention time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", nargs="?", choices=["list", "make", "drop"], default="list")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        {"list": self._list, "make": self._make, "drop": self._drop}[what]()

    def _list(self) -> None:
        now, shown, sizes = timezone.now(), all_partitions(), _sizes()
        self.stdout.write(f"{'partition':28} {'from':10} {'to':10} {'rows, about':>12} {'size':>10}  state")
        for partition in shown:
            rows, size = sizes.get(partition.name, (0, 0))
            # Django writes a non-breaking space.
            size_text = filesizeformat(size).replace("\xa0", " ")
            dates = f"{partition.begins:%Y-%m-%d} {partition.ends:%Y-%m-%d}"
            self.stdout.write(f"{partition.name:28} {dates} {rows:>12,} {size_text:>10}  {_state(partition, now)}")

    def _make(self) -> None:
        for name in make_partitions() or ["nothing: all weeks ahead are there"]:
            self.stdout.write(f"made {name}")

    def _drop(self) -> None:
        for name in drop_old_partitions():
            self.stdout.write(f"dropped {name}")
        left = due_partitions()
        for partition in left:
            self.stdout.write(f"left {partition.name}: something has it in use; try again, the hourly job does too")
        if not left:
            self.stdout.write("no week is past its time")


def _sizes() -> dict[str, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(SIZES, [[partition.name for partition in all_partitions()]])
        return {name: (rows, size) for name, rows, size in cursor.fetchall()}


def _state(partition: Partition, now: datetime) -> str:
    """Return the state of a partition in a word or two."""
    if partition.detaching:
        return "half detached"
    if not partition.attached:
        return "detached, to be dropped"
    if partition.is_due(now):
        return "past its time"
    return "ahead" if partition.begins > now else "now" if partition.ends > now else "kept"
