"""procrastinate's own command; a worker says at its start how files are examined on this system."""

import logging
from typing import Any

from procrastinate.contrib.django.management.commands import procrastinate

from messaging.media.sanitizer.runner import describe_measures

logger = logging.getLogger(__name__)


class Command(procrastinate.Command):
    """`manage.py procrastinate`, which stands before procrastinate's own since our app does."""

    def handle(self, *args: Any, **options: Any) -> None:
        if options.get("command") == "worker":
            logger.info("%s", describe_measures())
        super().handle(*args, **options)
