"""Answers are compressed, their length blurred; what holds a secret is not."""

import gzip
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.test import Client

from accounts.models import User
from chatproject.server import compression
from chatproject.server.compression import COMPRESSED_FROM, accepts_gzip, compressed_file
from conversations.invite_links import make_link
from conversations.models import Conversation
from messaging.media.uploads import begin_upload
from tests.accounts.visitor import PASSWORD as VISITORS_PASSWORD
from tests.accounts.visitor import Visitor
from tests.doors.conftest import Rest
from tests.doors.matrix.test_every_route import BODY_OF, ROUTES, filled, visitor
from tests.messaging.helpers import fill, say
from tests.support.browser import PASSWORD
from tests.support.server import Server

__all__ = ["filled"]

GZIP = {"HTTP_ACCEPT_ENCODING": "gzip, br"}
CSRF = re.compile(rb'(?:name="csrfmiddlewaretoken" value|name="csrf-token" content)="(\w{64})"')
LINES = re.compile(rb'data-id="([^"]+)"')
SECRETS = re.compile(
    rb'eyJ[\w-]{8,}\.[\w-]+\.|"(?:access|refresh|ticket|nonce|token|secret|policy|url)":\s*"(?!/)|/join/[\w-]{16,}|'
    rb"x-amz-|otpauth:|\b[0-9a-f]{8}\b</li>|(?-i:\b[A-Z2-7]{32}\b)",
    re.IGNORECASE,
)


def raw(url: str, *, method: str = "GET", **headers: str) -> tuple[httpx.Response, bytes]:
    """Ask, and give the answer with its bytes as they came."""
    known = {"Accept-Encoding": "gzip", **headers}
    with httpx.Client(timeout=20) as client, client.stream(method, url, headers=known) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize(
    ("header", "is_taken"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip; q=0", False),
        ("gzip;q=0.000", False),
        ("br", False),
        ("", False),
    ],
)
def test_gzip_is_for_those_who_take_it(header: str, is_taken: bool) -> None:
    assert accepts_gzip(header) is is_taken


# Pages and answers


@pytest.fixture
def page(data: None, alice: User, bob: User, conversation: Conversation) -> Callable[..., Any]:
    """Ask for a conversation of fifty messages, as its page."""
    fill(conversation, bob, 50)
    client = visitor(alice)
    return lambda **headers: client.get(f"/conversations/{conversation.pk}", **headers)


def test_a_page_is_compressed_for_those_who_take_it_so(page: Callable[..., Any]) -> None:
    plain, packed = page(), page(**GZIP)
    assert not plain.has_header("Content-Encoding")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.content) < len(plain.content) / 3
    assert LINES.findall(gzip.decompress(packed.content)) == LINES.findall(plain.content)
    assert all("Accept-Encoding" in answer.headers["Vary"] for answer in (plain, packed))


def test_the_length_of_an_answer_is_blurred(page: Callable[..., Any]) -> None:
    assert statistics.pstdev([len(page(**GZIP).content) for _ in range(12)]) > 1


def test_csrf_tokens_are_masked_anew_in_every_answer(page: Callable[..., Any]) -> None:
    tokens = [CSRF.findall(gzip.decompress(page(**GZIP).content)) for _ in range(2)]
    assert all(tokens)
    assert not {*tokens[0]} & {*tokens[1]}


def test_an_answer_of_the_api_is_compressed_and_a_short_one_is_not(
    rest: Rest, alice: User, bob: User, conversation: Any
) -> None:
    fill(conversation, bob, 50)
    client = rest(alice)
    long, short = client.get(f"/messages/conversation/{conversation.pk}"), client.get("/users/me")
    assert (long.headers["Content-Encoding"], len(long.json()["data"])) == ("gzip", 50)
    assert len(short.content) < COMPRESSED_FROM
    assert "Content-Encoding" not in short.headers


def test_who_has_an_answer_is_told_so_however_it_came(rest: Rest, alice: User, conversation: Conversation) -> None:
    client, path = rest(alice), f"/conversations/{conversation.pk}"
    for encoding in ("gzip", "identity"):
        known = client.get(path, headers={"Accept-Encoding": encoding})
        again = client.get(path, headers={"Accept-Encoding": encoding, "If-None-Match": known.headers["ETag"]})
        assert (known.status_code, again.status_code, again.content) == (200, 304, b"")


def test_the_head_of_an_answer_tells_of_its_compression(server: Server) -> None:
    for method in ("HEAD", "GET"):
        answer, content = raw(f"{server.url}/api/openapi.yaml", method=method)
        assert (answer.headers["Content-Encoding"], bool(content)) == ("gzip", method == "GET")


# Files


def test_a_file_is_compressed_and_known_again(server: Server) -> None:
    url = f"{server.url}{settings.STATIC_URL}js/conversation.js"
    answer, packed = raw(url)
    plain, content = raw(url, **{"Accept-Encoding": "identity"})
    assert (answer.headers["Content-Encoding"], gzip.decompress(packed)) == ("gzip", content)
    assert (int(answer.headers["Content-Length"]), len(packed) < len(content)) == (len(packed), True)
    assert plain.headers["Vary"] == answer.headers["Vary"] == "Accept-Encoding"
    head, nothing = raw(url, method="HEAD")
    assert (head.headers["Content-Length"], nothing) == (str(len(packed)), b"")
    for tag in (answer.headers["ETag"], plain.headers["ETag"], f'"x", {answer.headers["ETag"]}'):
        again, nothing = raw(url, **{"If-None-Match": tag})
        assert (again.status_code, nothing, again.headers["Vary"]) == (304, b"", "Accept-Encoding")


def test_a_part_of_a_file_is_a_part_of_the_file(server: Server) -> None:
    url = f"{server.url}{settings.STATIC_URL}js/conversation.js"
    answer, content = raw(url, Range="bytes=0-99")
    assert (answer.status_code, len(content), "Content-Encoding" in answer.headers) == (206, 100, False)


def test_a_file_that_has_changed_is_compressed_anew(tmp_path: Path) -> None:
    file = tmp_path / "a.js"
    for text in (b"one", b"two"):
        file.write_bytes(text)
        assert gzip.decompress(compressed_file(file, len(text) + text[0])) == text


# Secrets


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have answers compressed however short they are."""
    monkeypatch.setattr(compression, "COMPRESSED_FROM", 1)


def assert_goes_plain(answer: Any) -> None:
    assert answer.status_code < 300, answer.content
    assert SECRETS.search(answer.content), answer.content
    assert not answer.has_header("Content-Encoding")


def post(client: Client, path: str, **body: Any) -> Any:
    return client.post(f"/api/v1{path}", orjson.dumps(body), content_type="application/json", **GZIP)


def test_tokens_tickets_and_nonces_go_plain(everything: None, data: None, alice: User) -> None:
    client, known = Client(), {"username": "newcomer", "password": PASSWORD}
    assert_goes_plain(post(client, "/auth/register", **known))
    signed_in = post(client, "/auth/token", **known)
    assert_goes_plain(signed_in)
    assert_goes_plain(post(client, "/auth/token/refresh", refresh=signed_in.json()["data"]["refresh"]))
    assert_goes_plain(post(client, "/auth/wallet/nonce"))
    assert_goes_plain(post(visitor(alice), "/auth/ticket"))


def test_invitation_links_and_upload_forms_go_plain(everything: None, group: Conversation, alice: User) -> None:
    client = visitor(alice)
    assert_goes_plain(post(client, f"/conversations/{group.pk}/invite-links"))
    assert_goes_plain(client.post(f"/conversations/{group.pk}/links", {"link-lasts": "0"}, **GZIP))
    _, token = make_link(by=alice, conversation_id=group.pk)
    assert_goes_plain(Client().get(f"/join/{token}", **GZIP))
    assert_goes_plain(post(client, "/media/uploads", filename="a.png", content_type="image/png", size=9))


def test_the_secret_of_an_authenticator_app_and_recovery_codes_go_plain(
    everything: None, person: Callable[..., User]
) -> None:
    user = person("dora", VISITORS_PASSWORD)
    dora = Visitor(user)
    dora.confirm()
    client = dora.client
    assert_goes_plain(client.get("/accounts/2fa/totp/activate/", **GZIP))
    TOTP.activate(user, generate_totp_secret())
    codes = RecoveryCodes.activate(user)
    answer = client.get("/accounts/2fa/recovery-codes/", **GZIP)
    assert codes.get_unused_codes()[0].encode() in answer.content
    assert not answer.has_header("Content-Encoding")


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_no_route_at_all_compresses_a_secret(
    everything: None, filled: Callable[[str], str], alice: User, bob: User, conversation: Conversation
) -> None:
    begin_upload(by=alice, filename="a.png", content_type="image/png", size=9)
    say(alice, conversation, "Mine")
    packed = 0
    for route in ROUTES:
        for method in ("GET", "POST"):
            body = orjson.dumps(BODY_OF.get((method, route), {}))
            client = visitor(alice)
            answer = client.generic(method, filled(route), body, content_type="application/json", **GZIP)
            if answer.headers.get("Content-Encoding") == "gzip":
                packed += 1
                found = SECRETS.search(gzip.decompress(answer.content))
                assert not found, (method, route, found)
    assert packed > 50
