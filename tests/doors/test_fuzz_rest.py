"""Every field of every route that takes a body, with whatever does not belong there: never a 500, never HTML."""

from typing import Any

import pytest

from chatproject.urls import accounts, messaging_api

NASTY: list[Any] = [
    None, True, 0, -1, 1.5, 2**70, "", " ", "x" * 20_000, "\0", "a\u202eb", "\U0001f600" * 90, "<script>", [], [None],
    [[]], {}, {"id": 1}, {"id": "x", "username": "y"}, {"username": "\0"}, {"wallet": "0x"},
    "ffffffff-ffff-7fff-bfff-ffffffffffff", "00000000-0000-0000-0000-000000000000",
]  # fmt: skip
SOMEONE = "01890000-0000-7000-8000-000000000000"
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "auth/register"): {
        "username": "fuzzy", "password": "a-good-password-9", "display_name": "F", "email": "f@example.org",
        "device": "d",
    },
    ("POST", "auth/token"): {"username": "alice", "password": "x", "code": "1", "device": "d"},
    ("POST", "auth/token/refresh"): {"refresh": "x"},
    ("POST", "auth/wallet/nonce"): {"address": "0x" + 40 * "a"},
    ("POST", "auth/wallet"): {"message": "x", "signature": "0x", "code": "1", "device": "d"},
    ("POST", "auth/password"): {
        "old_password": "x", "new_password": "a-good-password-9", "unlink_wallets": True, "code": "1",
    },
    ("POST", "auth/confirm"): {"password": "x", "message": "x", "signature": "0x", "code": "1"},
    ("PATCH", "users/me"): {
        "username": "alice", "display_name": "Alice", "about": "",
        "settings": {
            "write": "everyone", "add": "everyone", "last_seen": True, "read_receipts": True, "theme": "dark",
            "language": "de",
        },
        "avatar_media_id": SOMEONE,
    },
    ("POST", "users/me/close"): {"password": "x", "message": "x", "signature": "0x"},
    ("POST", "contacts/invitations"): {"to": {"username": "bob"}},
    ("POST", "conversations"): {
        "kind": "group", "to": {"username": "bob"}, "name": "G", "description": "", "participants": [],
        "history": "joined",
    },
    ("PATCH", "conversations/<pk>"): {
        "name": "G", "description": "", "history": "joined", "avatar_media_id": SOMEONE,
    },
    ("POST", "conversations/<pk>/participants"): {"users": [{"username": "bob"}]},
    ("PATCH", "conversations/<pk>/participants/<id>"): {"role": "member"},
    ("POST", "conversations/<pk>/transfer"): {"to": {"username": "alice"}},
    ("POST", "conversations/<pk>/invite-links"): {"expires_at": "2999-01-01T00:00:00Z", "max_uses": 1},
    ("PATCH", "conversations/<pk>/me"): {
        "notify": "all", "muted_until": "2999-01-01T00:00:00Z", "pinned": True, "archived": True, "draft": "x",
    },
    ("POST", "conversations/<pk>/delivered"): {"through": 0},
    ("POST", "conversations/<pk>/read"): {"through": 0},
    ("POST", "messages"): {
        "id": SOMEONE, "conversation_id": SOMEONE, "receiver_id": SOMEONE, "text": "x", "kind": "text", "media": [],
        "reply_to_id": SOMEONE, "forward_of_id": SOMEONE,
    },
    ("PATCH", "messages/<pk>"): {"text": "x"},
    ("POST", "media/uploads"): {"filename": "a.png", "content_type": "image/png", "size": 10},
    ("POST", "reports"): {"message_id": SOMEONE, "user_id": SOMEONE, "reason": "spam", "comment": "x"},
    ("POST", "ws/broadcast"): {"message": "x"},
    ("POST", "ws/conversations/<pk>/broadcast"): {"message": "x"},
}  # fmt: skip
WITHOUT_BODY = {
    "auth/logout", "auth/ticket", "media/<pk>/complete",
    "contacts/invitations/<pk>/accept", "contacts/invitations/<pk>/decline",
    "users/<pk>/block", "conversations/<pk>/leave", "invite-links/<token>/accept", "messages/<pk>/reactions/<emoji>",
}  # fmt: skip


def writing_routes() -> set[str]:
    """The routes that take a method which writes, by the URL configuration."""
    routes = [*accounts.api, *messaging_api.urlpatterns]
    return {str(each.pattern) for each in routes if {"post", "patch", "put"} & set(each.callback.actions)}


def test_no_route_that_takes_a_body_is_left_out() -> None:
    assert writing_routes() == {path for _, path in BODIES} | WITHOUT_BODY


def broken(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The body with each field, and each field of a field, made nasty in turn; and without it."""
    bodies = [{name: value for name, value in body.items() if name != gone} for gone in body]
    for name, value in body.items():
        bodies += [{**body, name: nasty} for nasty in NASTY]
        if isinstance(value, dict):
            bodies += [{**body, name: {**value, inner: nasty}} for inner in [*value, "other"] for nasty in NASTY]
    return bodies


@pytest.mark.long
@pytest.mark.parametrize(("method", "path"), BODIES)
def test_a_field_that_is_not_right_gets_a_problem(rest, alice, bob, staff, conversation, group, method, path) -> None:
    app = rest(None if path.startswith("auth/register") else staff if path.startswith("ws/") else alice)
    where = group if path.startswith("conversations/") else conversation
    url = "/" + path.replace("<pk>", str(where.pk)).replace("<id>", str(bob.pk))
    for body in broken(BODIES[method, path]):
        answer = app.request(method, url, json=body)
        assert answer.status_code < 500, (body, answer.text)
        if answer.status_code != 204:
            wanted = "application/json" if answer.status_code < 400 else "application/problem+json"
            assert answer.headers["Content-Type"] == wanted, (body, answer.text)
