"""`manage.py remove_demo`: close the accounts of the demo's people."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from accounts.models import User
from conversations.contacts.account_closure import close_account
from messaging.management.demo.cast import CAST
from messaging.management.demo.open_accounts import open_demo_accounts


class Command(BaseCommand):
    help = "Close the accounts of the demo's people whose password is still the one that everyone knows, for good."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "names", nargs="*", metavar="NAME", help="close these of the demo's people, whatever their password is"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if unknown := sorted(set(options["names"]) - CAST.keys()):
            raise CommandError(f"These are not of the demo's people: {', '.join(unknown)}.")
        for name in options["names"] or open_demo_accounts():
            self._close(name)

    def _close(self, name: str) -> None:
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no account {name}.")
        close_account(by=user)
        self.stdout.write(f"closed the account {name}")
