"""`python -m tests.faults.broken <part> <module> <words…>`: the product's server, without one part that keeps it whole.

The suite is tested by this: without any of these it has to fail.
"""

import asyncio
import os
import runpy
import sys
from collections.abc import Callable
from typing import Any


def without_audit() -> None:
    """Nobody looks whether something was not heard."""
    from messaging.realtime.reconciler import Audit

    async def run(self: Audit) -> None:
        await asyncio.Event().wait()

    Audit.run = run  # type: ignore[method-assign]


def without_gaps() -> None:
    """Every event that is newer is delivered at once, whatever is missing before it."""
    from messaging.realtime.tables import Heard

    accept = Heard.accept

    def accept_anything_newer(self: Heard, envelope: Any) -> bool:
        if envelope["version"] > self.version + 1 > 0:
            self.version = envelope["version"] - 1
        return accept(self, envelope)

    Heard.accept = accept_anything_newer  # type: ignore[method-assign]


def without_epochs() -> None:
    """Whoever was in when it was last read who is in goes on hearing."""
    from messaging.realtime.tables import Heard

    accept = Heard.accept

    def accept_any_epoch(self: Heard, envelope: Any) -> bool:
        return accept(self, {**envelope, "epoch": self.epoch})

    Heard.accept = accept_any_epoch  # type: ignore[method-assign]


def without_repeats() -> None:
    """No message is recognised as one that is stored already."""
    from messaging.messages import append_sql

    append_sql.FORMS.update(
        {known: form.replace("m.id = ANY(%(ids)s::uuid[])", "false") for known, form in append_sql.FORMS.items()}
    )


PARTS: dict[str, Callable[[], None]] = {
    "audit": without_audit,
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
