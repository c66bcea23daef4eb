"""`manage.py settings_table`: print the table of all settings, or write it into docs/operations.md."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandParser

from chatproject.environment import table

BEGIN = "<!-- Made by `manage.py settings_table --write`; what stands here comes from chatproject/environment.py. -->"
END = "<!-- End of what is made. -->"


class Command(BaseCommand):
    help = "Print every variable of the environment with its default and meaning, as Markdown."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="put it into docs/operations.md instead")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        if not write:
            self.stdout.write(table())
            return
        page = settings.BASE_DIR / "docs" / "operations.md"
        page.write_text(with_table(page.read_text()))


def with_table(page: str) -> str:
    """Replace the table between the markers of a page."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"
