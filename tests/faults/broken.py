"""`python -m tests.faults.broken <part> <module> <words…>`: the product's server, without one part that keeps it whole.

The suite is tested by this: without any of these it has to fail.
"""

import asyncio
import os
import runpy
import sys
from collections.abc import Callable
from typing import Any


def without_reconciliation() -> None:
    """Nobody checks whether something was not received."""
    from messaging.realtime.reconciler import Reconciler

    async def run(self: Reconciler) -> None:
        await asyncio.Event().wait()

    Reconciler.run = run  # type: ignore[method-assign]


def without_gaps() -> None:
    """Every event that is newer is delivered at once, whatever is missing before it."""
    from messaging.realtime.subscriptions import Subscription

    receive = Subscription.receive

    def receive_anything_newer(self: Subscription, event: Any) -> bool:
        if event.version > self.version + 1 > 0:
            self.version = event.version - 1
        return receive(self, event)

    Subscription.receive = receive_anything_newer  # type: ignore[method-assign]


def without_epochs() -> None:
    """Whoever was a member when the members were last loaded goes on receiving."""
    from msgspec.structs import replace

    from messaging.realtime.subscriptions import Subscription

    receive = Subscription.receive

    def receive_any_epoch(self: Subscription, event: Any) -> bool:
        return receive(self, replace(event, epoch=self.epoch))

    Subscription.receive = receive_any_epoch  # type: ignore[method-assign]


def without_repeats() -> None:
    """No message is recognised as one that is stored already."""
    from messaging.messages import append_sql

    append_sql.FORMS.update(
        {known: form.replace("m.id = ANY(%(ids)s::uuid[])", "false") for known, form in append_sql.FORMS.items()}
    )


PARTS: dict[str, Callable[[], None]] = {
    "audit": without_reconciliation,
    "gaps": without_gaps,
    "epochs": without_epochs,
    "repeats": without_repeats,
}


def main(part: str, module: str, *words: str) -> None:
    """Take the part away, then be the server."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
    import django

    django.setup()
    PARTS[part]()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
