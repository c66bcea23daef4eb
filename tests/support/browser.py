"""A browser without JavaScript: cookies, pages, and forms that are sent as they stand on the page."""

from html.parser import HTMLParser
from types import TracebackType
from typing import Any, Self

import httpx

PASSWORD = "a secret nobody guesses"


class Form(HTMLParser):
    """The fields of the form on a page that posts to an address."""

    def __init__(self, page: str, action: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._action = action
        self._inside = False
        self.feed(page)
        assert self.fields, f"no form on this page goes to {action}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "form":
            self._inside = known.get("action") == self._action and "csrfmiddlewaretoken" not in self.fields
        elif self._inside and tag in {"input", "textarea"} and (name := known.get("name")):
            is_box = known.get("type") in {"checkbox", "radio"}
            if not is_box or "checked" in known:
                self.fields[name] = known.get("value") or ("on" if is_box else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


class Browser:
    """One person's browser."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.http = httpx.AsyncClient(base_url=base, follow_redirects=True, timeout=20)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def submit(self, path: str, *, action: str | None = None, **filled: Any) -> httpx.Response:
        """Open a page, fill in the form on it that posts to `action` (to the page itself unless told), and send it."""
        page = await self.http.get(path)
        fields = Form(page.text, action or path).fields | filled
        return await self.http.post(action or path, data=fields, headers={"Origin": self.base})

    async def sign_in(self, username: str, password: str = PASSWORD) -> None:
        await self.submit("/accounts/login/", login=username, password=password)
        assert "sessionid" in self.http.cookies, "the sign-in form let nobody in"

    @property
    def cookie(self) -> str:
        """The Cookie header that the browser sends."""
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
