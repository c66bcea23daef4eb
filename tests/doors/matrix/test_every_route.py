"""Every route and method of the site map, tried by everyone: what a door is for decides who may come in.

What comes of it in detail is in the tables; here nothing is left out, whoever wrote it: Django, django-allauth or we.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from accounts.auth.sessions import start_session
from accounts.auth.tokens import SESSION_KEY
from accounts.models import User
from conversations.models import Conversation
from tests.doors.test_fuzz_rest import BODIES
from tests.messaging.helpers import say

pytestmark = [pytest.mark.django_db, pytest.mark.long]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OPEN = re.compile(
    r"api/v1/(auth/(register|token|token/refresh|logout|wallet|wallet/nonce)|server)|api/(docs|\w+.yaml)|accounts/|sign-in/|admin/log|"
    r"join|healthz|readyz|metrics"
)
STAFF = re.compile(r"admin/|api/v1/ws/(?!conversations/<pk>/participants)")
WATCHED = re.compile(r"api/v1/ws/conversations/<pk>/participants")
INSIDE = re.compile(r"(api/v1/)?(ws/)?(conversations|messages)/(conversation/|friend/)?<")

ANYTHING = {"yes", "no", "sign_in", "refused", "nothing"}
MINE = {"yes", "no", "nothing"}
BODY_OF = {(method, f"api/v1/{path}"): body for (method, path), body in BODIES.items()}
# A name is for those to choose whom a wallet gave one.
BODY_OF["PATCH", "api/v1/users/me"] = {"about": "Hi"}
# Whoever is signed in and not of the staff is led to the admin's sign-in, which refuses them.
AWAY = {"sign_in", "refused"}
# By what a route is for: what may come of it for the anonymous, for strangers, for members and for the staff.
WANTED: dict[str, tuple[set[str], ...]] = {
    "open": (ANYTHING, ANYTHING, ANYTHING, ANYTHING),
    "own": ({"sign_in"}, MINE, MINE, MINE),
    # The staff is a stranger here.
    "inside": ({"sign_in"}, {"nothing"}, {"yes", "no", "refused"}, {"nothing"}),
    "watched": ({"sign_in"}, {"nothing"}, {"yes", "no"}, {"yes", "no"}),
    "staff": ({"sign_in"}, AWAY, AWAY, ANYTHING - {"sign_in"}),
}


def walk(known: URLResolver, before: str = "") -> Iterator[str]:
    for each in known.url_patterns:
        if isinstance(each, URLResolver):
            yield from walk(each, before + _plain(each))
        else:
            yield before + _plain(each)


def _plain(each: URLPattern | URLResolver) -> str:
    """Write a route as a path, whether it is written as one or as an expression."""
    route = str(each.pattern)
    if isinstance(each.pattern, RegexPattern):
        route = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route).strip("^$").replace("\\Z", "")
    return re.sub(r"<\w+:(\w+)>", r"<\1>", route)


ROUTES = sorted(
    {route for route in walk(get_resolver()) if not route.startswith("api/") or "<" in route or route[-1] != "/"}
)


def kind_of(route: str) -> str:
    for kind, pattern in (("open", OPEN), ("staff", STAFF), ("watched", WATCHED), ("inside", INSIDE)):
        if pattern.match(route):
            return kind
    return "own"


@pytest.fixture
def filled(alice: User, bob: User, conversation: Conversation) -> Callable[[str], str]:
    """Put ids that are there into a route."""
    said = say(bob, conversation, "Hi")["id"]
    known = {"conversation_id": conversation.pk, "message_id": said, "user_id": bob.pk, "emoji": "\U0001f44d"}

    def fill(route: str) -> str:
        about = {"pk": said if "messages/" in route else conversation.pk, "id": bob.pk}
        about["id"] = conversation.pk if "messages/conversation" in route else bob.pk
        there = {**known, **about, "token": "x", "object_id": bob.pk, "name": "suspend", "app_label": "accounts"}
        query = "?after=0" if route.endswith("changes") else ""
        return "/" + re.sub(r"<(\w+)>", lambda name: str(there.get(name[1], bob.pk)), route) + query

    return fill


def visitor(user: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
        kept = client.session
        kept[SESSION_KEY] = str(start_session(user=user, name="a test").pk)
        kept.save()
    return client


def word_for(answer: Any) -> str:
    """Say in a word what came of it."""
    where = answer.headers.get("Location", "")
    if b"bad_credentials" in answer.content or b"confirmation_required" in answer.content:
        return "no"
    if answer.status_code == 401 or where.startswith(("/accounts/login", "/admin/login")):
        return "sign_in"
    return {403: "refused", 404: "nothing", 410: "nothing"}.get(answer.status_code) or (
        "yes" if answer.status_code < 400 else "no"
    )


@pytest.mark.parametrize("route", ROUTES)
def test_everyone_gets_what_the_door_is_for(
    route: str, filled: Callable[[str], str], alice: User, mallory: User, staff: User
) -> None:
    path, wanted = filled(route), WANTED[kind_of(route)]
    for user, allowed in zip((None, mallory, alice, staff), wanted, strict=True):
        client = visitor(user)
        for method in METHODS:
            body = BODY_OF.get((method, route), {})
            answer = client.generic(method, path, orjson.dumps(body), content_type="application/json")
            assert answer.status_code < 500, (user, method, answer.status_code)
            if route.startswith("api/v1/"):
                assert "html" not in answer.headers.get("Content-Type", ""), (user, method)
            if answer.status_code != 405:
                assert word_for(answer) in allowed, (user, method, answer.status_code)
