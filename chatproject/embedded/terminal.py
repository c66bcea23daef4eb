"""What is said to the person at the terminal, if there still is one."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from honcho.printer import Message, Printer


@contextmanager
def perhaps_unheard() -> Iterator[None]:
    """Let a terminal be closed, or a pipe be broken, without harm: from then on we talk to nobody."""
    try:
        yield
    except OSError:
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, sys.stdout.fileno())
        os.close(nobody)


def say(text: str) -> None:
    """Say something of our own."""
    with perhaps_unheard():
        print(text, flush=True)


class TerminalPrinter(Printer):  # type: ignore[misc]  # honcho has no types
    """Pass on what the processes say."""

    def write(self, message: Message) -> None:
        with perhaps_unheard():
            super().write(message)
