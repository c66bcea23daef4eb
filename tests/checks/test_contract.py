"""What holds answers to the document finds what differs from it."""

from typing import Any

import httpx
import pytest

from tests.support.contract import check

SERVER = {
    "name": "Parley",
    "version": "1",
    "feature_level": 2,
    "features": [],
    "time": "2026-01-31T12:00:00.000Z",
    "limits": {
        "text": 1,
        "attachments": 1,
        "upload_bytes": 1,
        "group_members": 1,
        "edit_seconds": 1,
        "frame_bytes": 1,
        "body_bytes": 1,
    },
    "generation": 1,
    "retention_days": 90,
}


def answer(status: int = 200, body: Any = None, *, method: str = "GET", path: str = "server") -> httpx.Response:
    request = httpx.Request(method, f"http://here/api/v1/{path}")
    return httpx.Response(status, json={"data": SERVER} if body is None else body, request=request)


def test_what_is_as_the_document_says_passes() -> None:
    check(answer())
    check(answer(404, path="nothing"))


@pytest.mark.parametrize(
    "wrong",
    [
        answer(201),
        answer(500),
        answer(404, {"data": SERVER}, path="users/x"),
        answer(body={"data": {**SERVER, "secret": 1}}),
        answer(body={"data": {**SERVER, "name": 7}}),
        answer(body={"data": {**SERVER, "limits": {}}}),
        answer(body={"data": SERVER, "more": 1}),
        answer(204, method="POST", path="auth/logout"),
    ],
)
def test_what_differs_from_it_is_found(wrong: httpx.Response) -> None:
    with pytest.raises(AssertionError):
        check(wrong)
