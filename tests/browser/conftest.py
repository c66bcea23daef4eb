"""Fixtures: one real Chromium for all tests, a window for each person, and a check for errors in them.

All of it lives on one event loop that lasts as long as the session, beside those of the other asynchronous tests.
"""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client as DjangoClient
from playwright.async_api import Browser, async_playwright

from accounts.auth.sessions import start_session
from accounts.auth.tokens import SESSION_KEY
from accounts.models import User
from tests.browser.window import Troubles, Window
from tests.support.server import Server

Enter = Callable[..., Awaitable[Window]]

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Chromium loads a page for each popup of the address bar into every new window, which costs more than our own pages.
# It reads only the last list of such features: this one repeats what Playwright turns off.
UNUSED_FEATURES = """
WebUIOmniboxPopup WebUIOmniboxAimPopup WebUIOmniboxFullPopup PreloadTopChromeWebUI
AvoidUnnecessaryBeforeUnloadCheckSync DestroyProfileOnBrowserClose HttpsUpgrades HttpsFirstBalancedModeAutoEnable
LensOverlay MediaRouter PaintHolding ThirdPartyStoragePartitioning AvoidCorsURLLoaderRestartOnRedirect
OptimizationHints NetworkTimeServiceQuerying AimEnabled PreconnectToSearch
"""
# With a limit Chromium starts no spare renderers; each person's window still has a renderer of its own.
FLAGS = f"""
--disable-features={",".join(UNUSED_FEATURES.split())} --renderer-process-limit=1
--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update
--disable-sync --use-fake-device-for-media-stream --use-fake-ui-for-media-stream
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            # Two browsers, a server and three engines share two cores in CI. The summary shows second tries.
            item.add_marker(pytest.mark.flaky(reruns=1 if os.environ.get("CI") else 0))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser; CHROMIUM names another one than that on the path."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        pytest.fail("There is no Chromium here: name one in CHROMIUM, or leave these tests out (NO_BROWSER=1).")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS.split())
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def troubles() -> AsyncIterator[Troubles]:
    """Fail the test if a window has seen errors that the test did not expect."""
    seen = Troubles()
    yield seen
    assert not seen.unexpected


@pytest_asyncio.fixture(loop_scope="session")
async def enter(chromium: Browser, troubles: Troubles, server: Server) -> AsyncIterator[Enter]:
    """Open a window for a signed-in person, or for a visitor: `await enter(alice)`, `await enter()`."""
    async with AsyncExitStack() as opened:

        async def open_window(user: User | None = None, *, at: str = server.url, **options: Any) -> Window:
            context = await chromium.new_context(base_url=at, locale="en-GB", **options)
            opened.push_async_callback(context.close)
            await troubles.watch(context)
            if user:
                await context.add_cookies([{**await sync_to_async(cookie)(user), "url": at}])
            return Window(await context.new_page())

        yield open_window


def cookie(user: User) -> dict[str, str]:
    """Sign a person in without the form, which has tests of its own."""
    client = DjangoClient()
    client.force_login(user)
    session = client.session
    session[SESSION_KEY] = str(start_session(user=user, name="a test").pk)
    session.save()
    return {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
