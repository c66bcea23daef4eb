"""People's apps, alive: the worked example of docs/mobile.md, signed in and connected."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async

from accounts.auth import sessions, token_rotation
from accounts.auth.tokens import issue_pair
from accounts.models import User
from conversations.models import Conversation
from tests.support.app import App, SignedOut

Open = Callable[..., Awaitable[App]]
LONG = 30


async def tokens(user: User) -> Any:
    def sign_in() -> Any:
        return issue_pair(token_rotation.start_tokens(session=sessions.start_session(user=user, name="a phone")))

    return await sync_to_async(sign_in)()


async def end(life: asyncio.Task[None]) -> None:
    life.cancel()
    with suppress(asyncio.CancelledError, SignedOut):
        await life


def texts(app: App, conversation: Conversation) -> list[str]:
    known = app.conversations.get(str(conversation.pk))
    return known.texts() if known else []
