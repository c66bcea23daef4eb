"""What tests of doors share: a REST client that waits, a browser without JavaScript, and a look into the tables."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from accounts.models import User
from conversations.models import Conversation
from tests.doors.example_calls import ALICE, BOB, CONVERSATION
from tests.doors.phones import LONG, Open, end, tokens
from tests.support.app import App
from tests.support.browser import PASSWORD, Browser
from tests.support.contract import check
from tests.support.server import Server

Rest = Callable[..., httpx.Client]
Browse = Callable[[User], Awaitable[Browser]]
Stored = Callable[[], tuple[Any, ...]]

EVERYTHING = """
SELECT (SELECT count(*) FROM accounts_user), (SELECT count(*) FROM accounts_session WHERE ended_at IS NULL),
    (SELECT count(*) FROM messaging_message), (SELECT sum(length(body)) FROM messaging_message),
    (SELECT count(*) FROM conversations_participant WHERE left_at IS NULL),
    (SELECT sum(read_through) FROM conversations_participant),
    count(*), sum(version), sum(epoch), sum(last_position), max(changed_at) FROM conversations_conversation
"""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the tests of Schemathesis where they would be deselected: collecting them takes two seconds of CPU."""
    is_deselected = config.option.markexpr.startswith("not long")
    return True if is_deselected and collection_path.name == "test_schemathesis.py" else None


@pytest.fixture
def rest(server: Server, access: Callable[[User], str]) -> Iterator[Rest]:
    """Open a REST client, signed in as a person if one is named: `rest(alice)`."""
    with ExitStack() as opened:

        def open_client(user: User | None = None, **headers: str) -> httpx.Client:
            known = {"Authorization": f"Bearer {access(user)}"} if user else {}
            url, hooks = f"{server.url}/api/v1", {"response": [check]}
            client = httpx.Client(base_url=url, headers={**known, **headers}, timeout=20, event_hooks=hooks)
            return opened.enter_context(client)

        yield open_client


@pytest.fixture
async def phone(server: Server) -> AsyncIterator[Open]:
    """Someone's app, living: `await phone(alice)`."""
    async with AsyncExitStack() as opened:

        async def open_app(user: User, at: Server = server, **other: Any) -> App:
            app = await opened.enter_async_context(App(at.url, {**await tokens(user), **other}))
            life = asyncio.create_task(app.live())
            opened.push_async_callback(end, life)
            async with asyncio.timeout(LONG):
                await app.is_up_to_date.wait()
            return app

        yield open_app


@pytest.fixture
async def browse(server: Server) -> AsyncIterator[Browse]:
    """Sign a person in on a browser without JavaScript: `await browse(alice)`."""
    async with AsyncExitStack() as opened:

        async def open_browser(user: User) -> Browser:
            browser = await opened.enter_async_context(Browser(server.url))
            user.set_password(PASSWORD)
            await sync_to_async(user.save)(update_fields=["password"])
            await browser.sign_in(user.username)
            return browser

        yield open_browser


@pytest.fixture
def stored(committed: None) -> Stored:
    """Count what the database holds, so that a refusal can be seen to have left nothing behind."""

    def look() -> tuple[Any, ...]:
        with connection.cursor() as cursor:
            cursor.execute(EVERYTHING)
            return cursor.fetchone()

    return look


@pytest.fixture
def names(alice: User, bob: User, conversation: Conversation) -> dict[str, str]:
    """The ids that stand in the example calls as words in braces."""
    return {CONVERSATION: str(conversation.pk), BOB: str(bob.pk), ALICE: str(alice.pk)}
