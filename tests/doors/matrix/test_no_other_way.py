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
from messaging.socket.commands import Command
from tests.accounts.visitor import Visitor
from tests.doors.matrix.table import TABLES
from tests.doors.matrix.ways import WAYS

FOREIGN = ("accounts/", "admin/")
"""What Django and django-allauth bring along."""
SOME = str(uuid7())

# What is left: these are about oneself, one's devices and other people, or only lead to a row of the tables.
ABOUT_NO_CONVERSATION = """
GET api/v1/ws/stats
GET api/v1/ws/users
DELETE api/v1/ws/users/<pk>
POST api/v1/ws/broadcast
POST api/v1/ws/conversations/<pk>/broadcast
POST api/v1/auth/confirm
POST api/v1/auth/register
POST api/v1/auth/token
POST api/v1/auth/token/refresh
POST api/v1/auth/logout
POST api/v1/auth/password
POST api/v1/auth/ticket
POST api/v1/auth/wallet
POST api/v1/auth/wallet/nonce
DELETE api/v1/users/me/wallet
GET DELETE api/v1/auth/sessions
DELETE api/v1/auth/sessions/<pk>
GET PATCH api/v1/users/me
POST api/v1/users/me/close
GET api/v1/users
GET api/v1/users/blocked
GET api/v1/users/<pk>
GET api/v1/users/<pk>/presence
PUT DELETE api/v1/users/<pk>/block
GET api/v1/contacts
DELETE api/v1/contacts/<pk>
GET POST api/v1/contacts/invitations
POST api/v1/contacts/invitations/<pk>/accept
POST api/v1/contacts/invitations/<pk>/decline
GET api/v1/server
POST sign-in/wallet
POST api/v1/media/uploads
POST api/v1/media/<pk>/complete
GET api/v1/media/<pk>/state
GET settings
GET POST settings/profile
GET POST settings/privacy
GET POST settings/appearance
GET settings/sessions
POST settings/sessions/end-others
POST settings/sessions/<uuid:session_id>/end
GET settings/security
GET POST settings/security/confirm
POST settings/security/wallet/link
POST settings/security/wallet/unlink
GET settings/blocked
POST settings/blocked/<uuid:user_id>/unblock
GET POST settings/close
GET POST contacts
POST contacts/<uuid:user_id>/remove
POST contacts/invitations/<uuid:invitation_id>/accept
POST contacts/invitations/<uuid:invitation_id>/decline
GET people/<uuid:user_id>
GET POST people/<uuid:user_id>/report
GET settings/reports
GET api/v1/reports
POST people/<uuid:user_id>/invite
POST people/<uuid:user_id>/block
POST people/<uuid:user_id>/unblock
GET conversations/new
GET join
GET api/docs
GET api/openapi.yaml
GET api/asyncapi.yaml
GET healthz
GET readyz
GET metrics
"""
FRAMES_ABOUT_NO_CONVERSATION = {"connect", "ping", "presence.watch"}


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
