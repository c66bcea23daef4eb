"""Fixtures of tests of a running server process: its group commit and its hub run on the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from accounts.models import User
from conversations.creation import create_group
from conversations.models import Conversation
from messaging.messages.group_commit import group_commit
from messaging.realtime.hub import hub
from messaging.receipts.batcher import watermark_batcher
from tests.messaging.network import Wire


@pytest.fixture
async def live(committed: None) -> AsyncIterator[None]:
    """Let everything that a test sets going on its event loop end with it."""
    yield
    await group_commit().drain()
    await watermark_batcher().drain()
    # The next test has a loop of its own, and would open connections of its own beside these.
    await hub().stop()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture
def large_group(alice: User, bob: User, carol: User, person: Callable[..., User]) -> Conversation:
    """A group of a hundred and one that alice owns, with bob and carol."""
    others = [person(f"member{n:03}") for n in range(98)]
    return create_group(by=alice, name="Crowd", participants=[bob, carol, *others])


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """What servers tell each other, to be cut."""
    return Wire(monkeypatch)
