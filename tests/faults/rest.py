"""REST as a device uses it: whichever server answers, again and again until one does."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

import httpx

from tests.faults.journal import UNEXPECTED, Journal
from tests.support import contract

API = "/api/v1"
PASSWORD = "correct horse battery staple"


class Away(Exception):
    """No server gave an answer that counts."""


class Rest:
    """One device's calls."""

    def __init__(self, http: httpx.AsyncClient, urls: Sequence[str], rng: Random, journal: Journal) -> None:
        self._http = http
        self._urls = urls
        self._rng = rng
        self._journal = journal
        self.username = ""
        self.access = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"} if self.access else {}

    async def register(self, username: str) -> dict[str, Any]:
        """Make a new person, and sign in as them."""
        self.username = username
        answer = await self.require("POST", "/auth/register", username=username, password=PASSWORD)
        self.access = answer["access"]
        return answer["user"]

    async def sign_in(self, username: str) -> None:
        """Sign in on a device of its own."""
        self.username, self.access = username, ""
        self.access = (await self.require("POST", "/auth/token", username=username, password=PASSWORD))["access"]

    async def require(self, method: str, path: str, **body: Any) -> Any:
        """Make a call that has to succeed, and give its data."""
        answer = await self.call(method, path, **body)
        answer.raise_for_status()
        return answer.json()["data"]

    async def call(self, method: str, path: str, *, tries: int = 20, **body: Any) -> httpx.Response:
        """Make a call until it is answered; Away if it is not. What is asked may have been done more than once."""
        for attempt in range(tries):
            try:
                return await self.try_once(method, path, **body)
            except Away:
                await asyncio.sleep(self._rng.uniform(0.1, 0.2) * min(attempt + 1, 5))
        raise Away

    async def try_once(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Make a call once; Away unless it is answered for good. Errors that no answer may be are noted."""
        where = self._rng.choice(self._urls) + API + path
        given = {"params": body} if method == "GET" else {"json": body}
        try:
            answer = await self._http.request(method, where, headers=self.headers, **given)
        except httpx.HTTPError as error:
            raise Away from error
        self._journal.hold(contract.check, answer)
        if answer.status_code == 401 and self.access:
            await self.sign_in(self.username)
            raise Away
        if answer.status_code in {429, 503}:
            raise Away
        if answer.status_code >= 500 or answer.status_code in {400, 405, 415}:
            self._journal.find(UNEXPECTED, f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            raise Away
        return answer
