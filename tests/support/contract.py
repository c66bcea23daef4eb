"""Every REST answer of a test is held to `docs/openapi.yaml`: its status, its kind, and each field of it.

Clients ignore what they don't know; here what is not in the document fails.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema_rs
import yaml

METHODS = ("get", "put", "post", "patch", "delete")


def check(response: httpx.Response) -> None:
    """Hold an answer to the document; AssertionError where it differs."""
    method, path = response.request.method.lower(), urlsplit(str(response.request.url)).path
    found = operation_of(method, path)
    if found is None or response.status_code == 405:
        return
    response.read()
    route, answers = found
    what = f"{method.upper()} {route} answered {response.status_code}"
    assert str(response.status_code) in answers, f"{what}, which docs/openapi.yaml does not know"
    kinds = answers[str(response.status_code)]
    if not kinds:
        assert not response.content, f"{what} with a body"
        return
    kind = response.headers["Content-Type"]
    assert kind in kinds, f"{what} as {kind}"
    errors = [error.message for error in kinds[kind].iter_errors(response.json())]
    assert not errors, f"{what} with {response.text[:500]}: {errors[:3]}"


async def check_soon(response: httpx.Response) -> None:
    """As `check`, for asynchronous clients."""
    await response.aread()
    check(response)


def operation_of(method: str, path: str) -> tuple[str, Any] | None:
    """Find the route of a path with its answers: for each status the validators by content type; None for no route."""
    for pattern, route in _routes():
        if pattern.fullmatch(path):
            return (route, _answers(route, method)) if method in document()["paths"][route] else None
    return None


@cache
def document() -> dict[str, Any]:
    text = Path("docs/openapi.yaml").read_text()
    # The same as safe_load, ten times as fast.
    known: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return known


@cache
def _routes() -> list[tuple[re.Pattern[str], str]]:
    """The routes as patterns, those with words before those with parameters."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), path) for path in paths]


@cache
def _answers(route: str, method: str) -> dict[str, dict[str, Any]]:
    answers = document()["paths"][route][method]["responses"]
    return {
        status: {kind: _validator(about["schema"]) for kind, about in _resolved(answer).get("content", {}).items()}
        for status, answer in answers.items()
    }


def _resolved(answer: dict[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = document()["components"]["responses"]
    return named[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer


def _validator(schema: dict[str, Any]) -> Any:
    whole = {**closed(schema), "components": {"schemas": closed(document()["components"]["schemas"])}}
    return jsonschema_rs.validator_for(whole)


def closed(schema: Any) -> Any:
    """Allow no fields but those that are named."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(value) for name, value in schema.items()}
    return {"additionalProperties": False, **inner} if isinstance(schema.get("properties"), dict) else inner
