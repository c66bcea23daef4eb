"""`manage.py keys`: which keys there are, since when, and which servers know them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from chatproject.core.encryption.ring import ring
from chatproject.keys.preparation import make_current_by_hand, own_connection
from chatproject.keys.registry import forget_dead, ids_of
from chatproject.models import EncryptionKey, ServerReport


class Command(BaseCommand):
    help = "Show the keys that encrypt messages, by their ids, and which running servers know them."

    def add_arguments(self, parser: CommandParser) -> None:
        text = "seal with this key from now on, because the current one is lost; what that one sealed stays unreadable"
        parser.add_argument("--make-current", metavar="ID", help=text)

    def handle(self, *args: Any, make_current: str | None, **options: Any) -> None:
        if make_current:
            try:
                make_current_by_hand(make_current)
            except ValueError as reason:
                raise CommandError(str(reason)) from None
        forget_dead(own_connection())
        for line in _lines():
            self.stdout.write(line)


def _lines() -> Iterator[str]:
    servers, here = list(ServerReport.objects.order_by("kind", "since")), ids_of(ring())
    for key in EncryptionKey.objects.order_by("known_since", "id"):
        known = sum(key.id in server.key_ids for server in servers)
        yield f"{key.id}  {key.state:7}  {_since(key)}  known by {known} of {len(servers)} servers{_note(key, here)}"
    for server in servers:
        age = (timezone.now() - server.seen_at).total_seconds()
        yield f"{server.kind} {server.server}  seen {age:.0f} s ago  knows {', '.join(server.key_ids)}"


def _since(key: EncryptionKey) -> str:
    since: datetime | None = {"current": key.current_since, "retired": key.retired_since}.get(key.state)
    return f"since {since or key.known_since:%Y-%m-%d %H:%M:%S}"


def _note(key: EncryptionKey, here: list[str]) -> str:
    return "" if key.id in here else "; not in CHAT_KEYS here"
