"""`manage.py follow`: run the followers of the change log."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from chatproject.keys.reporter import reporting
from conversations.change_log.runner import Runner
from messaging.followers import FOLLOWERS


class Command(BaseCommand):
    """Run followers until SIGTERM or SIGINT."""

    help = "Keep everything up to date that follows the change log; several processes can run at the same time."

    def handle(self, *args: Any, **options: Any) -> None:
        runner = Runner(FOLLOWERS)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: runner.stop())
        with reporting("follow"):
            runner.run()
