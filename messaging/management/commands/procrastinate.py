"""`manage.py procrastinate`: procrastinate's command; a worker also logs which measures confine the sanitizer, and puts
back jobs of tasks that it does not know.
"""

import logging
from typing import Any

from procrastinate.contrib.django import procrastinate_app
from procrastinate.contrib.django.management.commands import procrastinate

from messaging.management.unknown_jobs import leave_unknown_jobs
from messaging.media.sanitizer.runner import describe_measures

logger = logging.getLogger(__name__)


class Command(procrastinate.Command):
    """Replaces the command of the same name, because our app is listed before procrastinate's."""

    def handle(self, *args: Any, **options: Any) -> None:
        if options.get("command") == "worker":
            logger.info("%s", describe_measures())
            leave_unknown_jobs(procrastinate_app.current_app)
        super().handle(*args, **options)
