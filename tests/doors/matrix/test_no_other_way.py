"""Nothing leads to a conversation but what the tables know: a route, form or frame without a row fails here."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import get_args
from urllib.parse import urlsplit

from django.urls import URLResolver, get_resolver, resolve
from django.urls.resolvers import RoutePattern
from uuid_utils.compat import uuid7

from accounts.models import User
from messaging.protocol import Command
from tests.accounts.visitor import Visitor
from tests.doors.matrix.table import TABLES
from tests.doors.matrix.ways import ABOUT_NO_CONVERSATION, FRAMES_ABOUT_NO_CONVERSATION, WAYS

FOREIGN = ("accounts/", "admin/")
"""What Django and django-allauth bring along."""
SOME = str(uuid7())


def routes(known: URLResolver, before: str = "") -> Iterator[str]:
    """Walk the site map."""
    for each in known.url_patterns:
        if isinstance(each, URLResolver):
            yield from routes(each, before + str(each.pattern))
        elif isinstance(each.pattern, RoutePattern):
            yield before + str(each.pattern)


def methods(route: str, visitor: Visitor) -> list[str]:
    """Ask a route with a method that none has; what knows no methods is only read."""
    answer = visitor.client.generic("TRACE", "/" + re.sub("<[^>]*>", SOME, route))
    allowed = answer["Allow"].split(", ") if answer.status_code == 405 else ["GET"]
    return [method for method in allowed if method not in {"HEAD", "OPTIONS"}]


def named(call: str, root: str) -> set[tuple[str, str]]:
    """The method and the route of a call or a page of the ways."""
    method, _, path = call.partition(" ")
    known = resolve(root + urlsplit(path.format_map(defaultdict(lambda: SOME))).path)
    return {(method, known.route)}


def test_every_route_has_a_row_or_is_about_no_conversation(alice: User) -> None:
    visitor = Visitor(alice)
    ours = [route for route in routes(get_resolver()) if not route.startswith(FOREIGN)]
    there = {(method, route) for route in ours for method in methods(route, visitor)}
    known = [named(way.call, "/api/v1/") for way in WAYS.values() if way.call]
    known += [named(way.page, "/") for way in WAYS.values() if way.page]
    others = [line.split() for line in ABOUT_NO_CONVERSATION.split("\n") if line]
    known += [{(method, route)} for *some, route in others for method in some]
    assert there == set().union(*known)


def test_every_frame_has_a_row_or_is_about_no_conversation() -> None:
    there = {frame.__struct_config__.tag for frame in get_args(Command)}
    assert there == {way.frame for way in WAYS.values() if way.frame} | FRAMES_ABOUT_NO_CONVERSATION


def test_every_action_is_judged_and_every_judged_one_can_be_done() -> None:
    assert {action for table in TABLES.values() for action in table} == WAYS.keys()
