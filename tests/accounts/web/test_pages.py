"""Every page about people is in our look, obeys the strict policy, and is shown to whom it concerns."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.urls import URLPattern, URLResolver, get_resolver
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.models import Conversation
from tests.accounts.visitor import PASSWORD, Visitor, here
from tests.support.wallet import confirmed

pytestmark = pytest.mark.usefixtures("unhurried")

SETTINGS = [
    "/settings",
    *(f"/settings/{name}" for name in ("profile", "privacy", "sessions", "security", "blocked", "close")),
]
WRITES = [
    "/settings/profile",
    "/settings/privacy",
    "/settings/appearance",
    "/settings/sessions/end-others",
    f"/settings/sessions/{uuid7()}/end",
    f"/settings/blocked/{uuid7()}/unblock",
    "/settings/close",
    "/settings/security/confirm",
    "/settings/security/wallet/link",
    "/settings/security/wallet/unlink",
    "/contacts",
    f"/contacts/{uuid7()}/remove",
    f"/contacts/invitations/{uuid7()}/accept",
    f"/contacts/invitations/{uuid7()}/decline",
    f"/people/{uuid7()}/invite",
    f"/people/{uuid7()}/block",
    f"/people/{uuid7()}/unblock",
    "/accounts/password/change/",
    "/accounts/email/",
]
SAMPLES = {"key": "x", "uidb36": "1", "pk": "1"}


def routes(patterns: list[Any], prefix: str = "/") -> Iterator[str]:
    """Write down the path of every route, with samples for what varies."""
    for each in patterns:
        written = prefix + _sample(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, written)
        elif isinstance(each, URLPattern):
            yield written


def _sample(pattern: Any) -> str:
    text = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", lambda found: SAMPLES.get(found[1], "x"), str(pattern))
    text = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: SAMPLES.get(found[1], "x"), text)
    return text.removeprefix("^").removesuffix("$")


ALLAUTH = sorted({path for path in routes(get_resolver().url_patterns) if path.startswith("/accounts/")})


def assert_is_ours(answer: Any) -> None:
    """Our layout, our policy, and nothing in the page that the policy would refuse."""
    html, policy = answer.content.decode(), answer["Content-Security-Policy"]
    assert "css/tokens.css" in html, here(answer)
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    scripts = re.findall(r"<script\b([^>]*)>", html)
    assert all("src=" in each or 'type="application/json"' in each for each in scripts)


def test_the_routes_of_the_library_are_found() -> None:
    assert {"/accounts/login/", "/accounts/2fa/totp/activate/", "/accounts/password/reset/key/1-x/"} <= set(ALLAUTH)


@pytest.mark.parametrize("path", ALLAUTH)
def test_every_page_of_the_library_is_in_our_look(path: str, alice: User) -> None:
    assert_is_ours(Visitor().get(path))
    assert_is_ours(Visitor(alice).get(path))


def test_so_are_those_that_ask_for_the_password_first(dora: User) -> None:
    visitor = Visitor(dora)
    visitor.confirm()
    for path in ("totp/activate/", "webauthn/", "webauthn/add/"):
        answer = visitor.get(f"/accounts/2fa/{path}")
        assert here(answer) == f"/accounts/2fa/{path}"
        assert_is_ours(answer)


def test_and_those_of_an_account_with_codes(dora: User) -> None:
    TOTP.activate(dora, generate_totp_secret())
    RecoveryCodes.activate(dora)
    visitor = Visitor(dora)
    confirmed(dora)
    for path in ("totp/deactivate/", "recovery-codes/", "recovery-codes/generate/"):
        answer = visitor.get(f"/accounts/2fa/{path}")
        assert (here(answer), answer.status_code) == (f"/accounts/2fa/{path}", 200)
        assert_is_ours(answer)


@pytest.mark.parametrize("path", [*SETTINGS, "/contacts", "/accounts/email/", "/settings/security/confirm"])
def test_our_own_are_for_people_who_are_signed_in(path: str, alice: User) -> None:
    assert here(Visitor().get(path)) == "/accounts/login/"
    answer = Visitor(alice).get(path)
    assert (here(answer), answer.status_code) == (path, 200)
    assert "no-store" in answer["Cache-Control"]
    assert_is_ours(answer)


@pytest.mark.parametrize("path", WRITES)
def test_nothing_is_written_without_the_token_of_the_page(path: str, alice: User) -> None:
    answer = Visitor(alice).client.post(path, {"password": PASSWORD})
    assert answer.status_code == 403
    assert_is_ours(answer)


@pytest.mark.parametrize(
    "path", [path for path in WRITES if path.rsplit("/", 1)[1] in {"end", "end-others", "accept", "block", "remove"}]
)
def test_a_link_alone_changes_nothing(path: str, alice: User) -> None:
    assert Visitor(alice).get(path).status_code == 405


def test_the_inbox_leads_to_settings_and_contacts(alice: User) -> None:
    page = Visitor(alice).get("/").content.decode()
    assert 'href="/settings"' in page
    assert 'href="/contacts"' in page


def test_a_conversation_leads_to_the_people_in_it(alice: User, bob: User, conversation: Conversation) -> None:
    page = Visitor(alice).get(f"/conversations/{conversation.pk}").content.decode()
    assert f'href="/people/{bob.pk}"' in page
