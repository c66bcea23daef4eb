"""What tests of a running server process share: its lane and its hub live on the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from messaging.lane import lane


@pytest.fixture
async def live(committed: None) -> AsyncIterator[None]:
    """Let everything that a test sets going on its event loop end with it."""
    yield
    await lane().drain()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
