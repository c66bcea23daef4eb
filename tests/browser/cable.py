"""The WebSocket of a page, which a test may cut and let come back."""

from typing import Self

from playwright.async_api import Page, WebSocketRoute


class Cable:
    """Between a page and the server; while it is cut the page tries in vain to come back."""

    def __init__(self) -> None:
        self._lines: list[WebSocketRoute] = []
        self._is_cut = False

    @classmethod
    async def of(cls, page: Page) -> Self:
        """Stand between a page that is not open yet and the server."""
        cable = cls()
        await page.route_web_socket("**/ws/chat", cable._connect)
        return cable

    async def cut(self) -> None:
        self._is_cut = True
        await self._lines[-1].close(code=1012)

    def mend(self) -> None:
        self._is_cut = False

    async def _connect(self, line: WebSocketRoute) -> None:
        if self._is_cut:
            await line.close(code=1012)
        else:
            line.connect_to_server()
            self._lines.append(line)
