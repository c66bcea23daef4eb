"""`manage.py prepare`: make the database ready for the processes that are about to start."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from accounts.models import User
from chatproject.core.encryption.errors import MissingKey
from chatproject.keys.preparation import prepare_keys
from messaging.management.demo.open_accounts import DemoIsOpen, require_closed_demo
from messaging.management.sealed_rows import newest_key
from messaging.retention.partitions import make_partitions


class Command(BaseCommand):
    help = "Migrate, create the partitions ahead, and seed the demo if CHAT_DEMO=1 and there are no people yet."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.HAS_SECRET_KEY:
            raise CommandError("SECRET_KEY is not set. `make run` makes one; elsewhere, set it in the environment.")
        if not settings.CHAT_KEYS:
            raise CommandError("CHAT_KEYS is not set: without a key no message can be stored.")
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except MissingKey as error:
            raise CommandError(str(error)) from error
        prepare_keys(sealed_with=newest_key())
        for name in make_partitions():
            self.stdout.write(f"made the partition {name}")
        try:
            require_closed_demo()
        except DemoIsOpen as reason:
            raise CommandError(str(reason)) from None
        if settings.CHAT_DEMO and not User.objects.exists():
            call_command("seed")
