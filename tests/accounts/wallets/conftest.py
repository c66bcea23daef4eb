"""What tests of wallets share: a site, a fresh nonce, and signing in with a signed message."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.support.redis import empty_redis
from tests.support.wallet import Wallet

Enter = Callable[..., Any]


NONCE, WALLET = "/api/v1/auth/wallet/nonce", "/api/v1/auth/wallet"


OTHER = {"domain": "evil.example", "uri": "https://evil.example"}


def post(path: str, body: Any = None, client: Client | None = None) -> Any:
    return (client or Client()).post(path, body or {}, content_type="application/json")


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.SITE_URL = "https://chat.example"


@pytest.fixture
def asked(data: None) -> Callable[[], dict[str, Any]]:
    """Ask the server for a nonce and the other fields of a message."""
    empty_redis()
    return lambda: post(NONCE).json()["data"]


@pytest.fixture
def enter(asked: Any) -> Enter:
    """Sign a fresh message, with some fields changed, and send it."""

    def show(wallet: Wallet | None = None, *, more_fields: Any = None, **other: Any) -> Any:
        return post(WALLET, {**(wallet or Wallet()).proof(asked(), **other), **(more_fields or {})})

    return show
