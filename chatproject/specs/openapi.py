"""`docs/openapi.yaml` from the descriptions of the routes. `manage.py documents` writes it; a test keeps it current."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import serializers

from accounts.api.fields import ReferenceField
from accounts.api.serializers import SettingsField
from accounts.people.user_settings import CHOICES
from chatproject.core.jsonschema import JSONObject, schema_of
from chatproject.rest.describe import Description
from chatproject.rest.fields import IdField, PositionField, StrictBooleanField, TimestampField
from chatproject.rest.problems import CODES, TITLES

PAGING: dict[str, JSONObject] = {
    "cursor": {"type": ["string", "null"], "description": "Opaque; null on the last page."},
    "position": {"type": ["integer", "null"], "description": "The position from which the list continues."},
}
NUMBER: JSONObject = {"type": "integer", "minimum": 0}
QUERY: dict[str, JSONObject] = {
    "limit": {
        "description": "The page size, 50 by default and at most 100.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "cursor": {
        "description": "Where to continue: `pagination.next` of the previous page.",
        "schema": {"type": "string"},
    },
    "search": {"description": "At least two letters.", "schema": {"type": "string", "minLength": 2}, "required": True},
    "for": {
        "description": "Only people to whom I may write, or whom I may add to groups.",
        "schema": {"type": "string", "enum": ["write", "add"]},
    },
    "archived": {
        "description": "Only archived conversations.",
        "schema": {"type": "string", "enum": ["true", "false"]},
    },
    "before": {"description": "Messages before this position.", "schema": NUMBER},
    "after": {"description": "Messages after this position.", "schema": NUMBER},
    "around": {"description": "Messages around this position.", "schema": NUMBER},
    "version": {
        "name": "after",
        "description": "The version that the client knows.",
        "schema": NUMBER,
        "required": True,
    },
}
PATH: dict[str, JSONObject] = {
    "token": {"type": "string", "description": "The token of an invitation link."},
    "emoji": {"type": "string", "description": "One emoji, percent-encoded."},
}
ERROR_CODES = {
    401: "not_authenticated token_expired session_revoked bad_credentials",
    403: "not_allowed blocked suspended",
    409: "conflict id_conflict",
    410: "gone",
    422: "unprocessable",
    503: "unavailable",
}
ERRORS_OF_ANY_ROUTE = (400, 401, 403, 429, 503)
ERRORS_WITH_BODY = (413, 415)
HEADERS: dict[str, JSONObject] = {
    "X-Request-ID": {"description": "Identifies this answer in the log.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What remains of the rate limit.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "The rate limit.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "Location": {
        "description": "The link to follow, valid for five minutes.",
        "schema": {"type": "string", "format": "uri"},
    },
    "ETag": {"description": "Identifies this state; send it as `If-None-Match`.", "schema": {"type": "string"}},
}


class Schema(AutoSchema):
    """Turns the `Description` of a route into an OpenAPI operation."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> JSONObject:
        self.registry, self.path, self.path_regex = registry, path, path_regex
        self.path_prefix, self.method = path_prefix, method.upper()
        about = self._description()
        operation: JSONObject = {
            "operationId": about.id,
            "summary": self._summary(),
            "tags": [path.split("/")[3]],
            "parameters": [*self._path_parameters(), *_query(about.query)],
            "security": _security(about),
            "responses": self._responses(about),
        }
        if about.body is not None:
            body = self.resolve_serializer(about.body(), "request")
            required = any(field.required for field in about.body().fields.values())
            operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": body.ref}}}
        return {name: value for name, value in operation.items() if value != [] or name == "security"}

    def _description(self) -> Description:
        about = getattr(getattr(self.view, getattr(self.view, "action", ""), None), "description", None)
        if not isinstance(about, Description):
            raise LookupError(f"{self.method} {self.path}: describe the view with @described")
        return about

    def _summary(self) -> str:
        action: str = getattr(self.view, "action", "")
        return (getattr(self.view, action).__doc__ or "").strip().partition("\n")[0]

    def _path_parameters(self) -> list[JSONObject]:
        names = re.findall(r"{(\w+)}", self.path)
        id = {"type": "string", "format": "uuid", "description": "A UUID version 7."}
        return [{"in": "path", "name": name, "required": True, "schema": PATH.get(name, id)} for name in names]

    # Answers

    def _responses(self, about: Description) -> JSONObject:
        answers: JSONObject = {str(status): self._answer(about) for status in {about.status, about.also} - {None}}
        if about.has_etag:
            answers["304"] = {"description": "Not modified.", "headers": self._headers("ETag")}
        body = ERRORS_WITH_BODY if about.body is not None else ()
        needed = {*ERRORS_OF_ANY_ROUTE, *body, *map(int, about.errors.split())}
        needed |= {404} if "{" in self.path else set()
        needed |= {410} if "cursor" in about.query.split() else set()
        return answers | {str(status): self._error(status) for status in sorted(needed)}

    def _answer(self, about: Description) -> JSONObject:
        more = ["ETag"] * about.has_etag + ["Location"] * (about.status == 302)
        headers = self._headers("RateLimit", "RateLimit-Policy", *more)
        if about.response is None:
            words = self._summary() if about.status == 302 else "Done; there is no content."
            return {"description": words, "headers": headers}
        return {
            "description": self._summary(),
            "headers": headers,
            "content": {"application/json": {"schema": self._envelope(about)}},
        }

    def _envelope(self, about: Description) -> JSONObject:
        data = schema_of(about.response, self._component)
        properties: JSONObject = {"data": data}
        if about.pagination:
            properties["pagination"] = _pagination(about.pagination)
            if about.pagination != "part":
                properties["data"] = {"type": "array", "items": data}
        return {"type": "object", "properties": properties, "required": list(properties)}

    def _error(self, status: int) -> JSONObject:
        codes = ERROR_CODES.get(status) or CODES[status]
        name = codes.partition(" ")[0].title().replace("_", "")
        words = ", ".join(f"`{code}`: {TITLES[code].lower()}" for code in codes.split())
        headers = self._headers(*(["Retry-After"] if status in {429, 503} else []))
        content = {"application/problem+json": {"schema": self._problem()}}
        known: JSONObject = {"description": words, "headers": headers, "content": content}
        return self._component(name, known, kind=ResolvedComponent.RESPONSE)

    def _headers(self, *names: str) -> JSONObject:
        known = {name: HEADERS[name] for name in ("X-Request-ID", *names)}
        return {name: self._component(name, words, kind=ResolvedComponent.HEADER) for name, words in known.items()}

    def _problem(self) -> JSONObject:
        text, error = {"type": "string"}, ("pointer", "code", "detail")
        names = ("type", "title", "detail", "code")
        errors: JSONObject = {
            "type": "array",
            "items": {"type": "object", "properties": dict.fromkeys(error, text), "required": list(error)},
        }
        properties = {
            **dict.fromkeys(names, text),
            "status": {"type": "integer"},
            "request_id": {"type": ["string", "null"]},
            "errors": errors,
        }
        known: JSONObject = {"type": "object", "properties": properties, "required": list(properties)}
        return self._component("Problem", {"description": "Why a request failed (RFC 9457).", **known})

    def _component(self, name: str, known: JSONObject, kind: str = ResolvedComponent.SCHEMA) -> JSONObject:
        make: Any = ResolvedComponent
        component = make(name=name, type=kind, object=name, schema=known)
        self.registry.register_on_missing(component)
        ref: JSONObject = component.ref
        return ref

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> JSONObject:
        """Map our strict fields, which drf-spectacular does not know."""
        for kind, words in FIELDS.items():
            if isinstance(field, kind):
                return {**words, **({"type": [words["type"], "null"]} if field.allow_null else {})}
        known: Any = super()
        mapped: JSONObject = known._map_serializer_field(field, direction, bypass_extensions)
        return mapped


REFERENCE: JSONObject = {
    "type": "object",
    "description": "Identifies a person by exactly one of these.",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "username": {"type": "string"},
        "wallet": {"type": "string"},
    },
    "minProperties": 1,
    "maxProperties": 1,
}
FIELDS: dict[type[serializers.Field[Any, Any, Any, Any]], JSONObject] = {
    IdField: {"type": "string", "format": "uuid"},
    TimestampField: {"type": "string", "format": "date-time"},
    PositionField: {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    ReferenceField: REFERENCE,
    StrictBooleanField: {"type": "boolean"},
    SettingsField: {
        "type": "object",
        "description": "Only the listed ones change.",
        "properties": {name: {"enum": list(choices)} for name, choices in CHOICES.items()},
    },
}


def _pagination(paged: str) -> JSONObject:
    sides = {"next": PAGING.get(paged, {"type": ["string", "integer", "null"]})}
    if paged != "part":
        sides["previous"] = PAGING[paged]
    properties: JSONObject = {**sides, "has_more": {"type": "boolean"}}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _security(about: Description) -> list[JSONObject]:
    """Return the accepted kinds of authentication; for a public route, none or optional."""
    signed_in: list[JSONObject] = [{"bearer": []}, {"cookie": []}]
    if about.is_public:
        return [{}, *signed_in] if about.reads_session else []
    return signed_in


def _query(asks: str) -> list[JSONObject]:
    return [{"in": "query", "name": name, **QUERY[name]} for name in asks.split()]


PARTS = {"participants": "user_id", "invite-links": "link_id"}


def rename_path_parameters(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Name the path parameters as the contract does; a hook of drf-spectacular, which takes the names from the code."""
    return [
        (_renamed(path), regex, method, view) for path, regex, method, view in endpoints if path.startswith("/api/v1/")
    ]


def _renamed(path: str) -> str:
    inner = re.sub(r"/([\w-]+)/{id}", lambda found: f"/{found[1]}/{{{PARTS.get(found[1], 'id')}}}", path)
    return inner.replace("{pk}", "{id}")
