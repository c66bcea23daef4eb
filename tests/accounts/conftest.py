"""What tests of people share: a REST client inside this process, and someone with a password."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from accounts.models import User
from tests.accounts.visitor import PASSWORD
from tests.support.redis import empty_redis


class Caller:
    """Calls the API as one person."""

    def __init__(self, access: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {access}"})

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(f"/api/v1{path}", query_params=query)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Call with a JSON body, where there is one."""
        sent = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self._client, method)(f"/api/v1{path}", **sent)


Rest = Callable[[User], Caller]


@pytest.fixture
def rest(access: Callable[[User], str]) -> Rest:
    """Sign a person in to call the API: `rest(alice)`."""
    return lambda user: Caller(access(user))


@pytest.fixture
def unhurried(settings: Any) -> None:
    """Let a test sign in as often as it likes: django-allauth counts in the cache, and good hashes take their time."""
    empty_redis()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def dora(person: Callable[..., User], unhurried: None) -> User:
    """Someone with a password and a confirmed address."""
    dora = person("dora", PASSWORD, email="dora@example.org")
    EmailAddress.objects.create(user=dora, email=dora.email, verified=True, primary=True)
    return dora


@pytest.fixture
def secret(dora: User) -> str:
    """The secret of the app that shows dora's codes."""
    secret: str = generate_totp_secret()
    TOTP.activate(dora, secret)
    return secret


def data(answer: Any, status: int = 200) -> Any:
    """Give what an answer with this status holds."""
    assert answer.status_code == status, answer.content
    return answer.json()["data"]


def code(answer: Any) -> tuple[int, str]:
    """Give the status and code of a refusal."""
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def pointers(answer: Any) -> list[str]:
    """Give the fields at fault in something that was not well formed."""
    assert code(answer) == (400, "invalid")
    return [error["pointer"] for error in answer.json()["errors"]]
