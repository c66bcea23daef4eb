"""The signed upload form: which posts the storage accepts by itself, and which origins pages may post to."""

import ast
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from accounts.models import User
from messaging.media.storage import media_storage
from tests.messaging.media.conftest import put
from tests.support import samples
from tests.support.client import Client

Phone = Callable[[User], httpx.Client]
App = Callable[[User], Awaitable[Client]]


def test_the_storage_accepts_the_agreed_file(begun: dict[str, Any]) -> None:
    assert put(begun["upload"], samples.picture()).status_code == 204


@pytest.mark.parametrize(
    "other",
    [
        {"key": "uploads/another"},
        {"Content-Type": "text/html"},
        {"x-amz-signature": "0" * 64},
        {"policy": "e30="},
        {"x-amz-credential": "somebody/20260101/us-east-1/s3/aws4_request"},
        {"x-amz-acl": "public-read"},
        {"success_action_redirect": "https://evil.example/"},
    ],
)
def test_the_storage_refuses_another_key_type_or_signature(begun: dict[str, Any], other: dict[str, str]) -> None:
    assert put(begun["upload"], samples.picture(), **other).status_code in {400, 403}


# Of two fields whose names differ by case, the storage takes one: the policy allows the empty one alone.
@pytest.mark.parametrize("name", ["redirect", "success_action_redirect ", "Success_Action_Redirect"])
def test_the_storage_redirects_nobody(begun: dict[str, Any], name: str) -> None:
    assert "Location" not in put(begun["upload"], samples.picture(), **{name: "https://evil.example/"}).headers


@pytest.mark.parametrize("data", [samples.picture() + b"x", samples.picture()[:-1], b""], ids=["more", "less", "none"])
def test_the_storage_refuses_another_size(begun: dict[str, Any], data: bytes) -> None:
    assert put(begun["upload"], data).status_code in {400, 403}


def test_the_storage_refuses_an_expired_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.media.storage.UPLOAD_URL_SECONDS", -10)
    late = media_storage().presign_upload("uploads/late", content_type="image/png", size=1)
    assert put({**late}, b"x").status_code in {400, 403}


def test_pages_may_reach_the_storage_by_its_outer_name_and_nothing_else() -> None:
    known = {**os.environ, "S3_PUBLIC_ENDPOINT_URL": "https://media.chat.example/there"}
    ask = "from chatproject.settings import CONTENT_SECURITY_POLICY as p; print(p['DIRECTIVES'])"
    said = subprocess.run([sys.executable, "-c", ask], env=known, capture_output=True, text=True, check=True).stdout
    rules = ast.literal_eval(said)
    for name in ("img-src", "media-src", "connect-src"):
        assert [each for each in rules[name] if "//" in each] == ["https://media.chat.example"]
    assert rules["default-src"] == ["'self'"]
