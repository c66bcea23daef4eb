"""Checking problem documents (RFC 9457)."""

from typing import Any

import httpx


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is the problem document of the contract, with its headers; give it."""
    assert answer.status_code == status, (answer.request.method, answer.url, answer.text)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail", "code", "request_id", "errors"}
    assert (problem["status"], problem["code"]) == (status, code), problem
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert all(each.keys() == {"pointer", "code", "detail"} for each in problem["errors"])
    return problem


def pointers(problem: dict[str, Any]) -> list[str]:
    """Give the fields that a problem document names."""
    return sorted({each["pointer"] for each in problem["errors"]})
