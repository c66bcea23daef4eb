"""The WebSocket connection of a page, which a test can cut and restore."""

import asyncio
from typing import Self

from playwright.async_api import Page, WebSocketRoute


class Connection:
    """The connection between a page and the server. While it is cut, the page cannot reconnect."""

    def __init__(self) -> None:
        self._lines: list[WebSocketRoute] = []
        self._is_cut = False

    @classmethod
    async def of(cls, page: Page) -> Self:
        """Intercept the connection of a page that is not open yet."""
        connection = cls()
        await page.route_web_socket("**/ws/chat", connection._connect)
        return connection

    async def cut(self) -> None:
        self._is_cut = True
        await self._lines[-1].close(code=1012)

    def restore(self) -> None:
        self._is_cut = False

    async def _connect(self, line: WebSocketRoute) -> None:
        if self._is_cut:
            await line.close(code=1012)
        else:
            line.connect_to_server()
            self._lines.append(line)


async def lose_the_first_message(page: Page) -> asyncio.Event:
    """Let the first message that a page sends get lost on its way, from now on; return what is set when it is."""
    lost = asyncio.Event()

    def connect(line: WebSocketRoute) -> None:
        server = line.connect_to_server()

        def pass_on(frame: str | bytes) -> None:
            if "message.send" in str(frame) and not lost.is_set():
                lost.set()
            else:
                server.send(frame)

        line.on_message(pass_on)

    await page.route_web_socket("**/ws/chat", connect)
    return lost
