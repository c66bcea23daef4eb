"""Links in mail let people in, and so do passkeys: both are this site's, whatever a request says of itself."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User

SITE = "https://chat.example"


@pytest.fixture
def forged(settings: Settings) -> Client:
    """Someone who asks this server by its name, and by a port at which they listen themselves."""
    settings.SITE_URL = SITE
    return Client(SERVER_NAME="127.0.0.1", SERVER_PORT="6666", HTTP_HOST="127.0.0.1:6666")


def sites(mail: Any) -> set[str]:
    return set(re.findall(r"https?://[^\s/]+", mail.body))


@pytest.mark.parametrize("address", ["dora@example.org", "nobody@example.org"])
def test_a_forged_port_is_in_no_mail_about_a_forgotten_password(
    forged: Client, dora: User, mailoutbox: Any, address: str
) -> None:
    assert forged.post("/accounts/password/reset/", {"email": address}).status_code == 302
    assert sites(mailoutbox[0]) == {SITE}


@pytest.mark.parametrize("address", ["erin@example.org", "dora@example.org"])
def test_nor_in_one_that_greets_or_says_that_there_is_an_account(
    forged: Client, dora: User, mailoutbox: Any, address: str
) -> None:
    said = {"username": "erin", "password": "a secret nobody guesses", "email": address}
    answer = forged.post("/api/v1/auth/register", said, content_type="application/json")
    assert answer.status_code == 201
    assert sites(mailoutbox[0]) == {SITE}
    assert "6666" not in mailoutbox[0].body


@pytest.mark.parametrize(
    ("site", "named"), [(SITE, "chat.example"), ("http://127.0.0.1:8000", "localhost"), ("http://[::1]", "localhost")]
)
def test_a_passkey_is_asked_for_in_the_name_of_the_site(
    forged: Client, settings: Settings, data: None, site: str, named: str
) -> None:
    settings.SITE_URL = site
    answer = forged.get("/accounts/2fa/webauthn/login/", headers={"X-Requested-With": "XMLHttpRequest"})
    assert answer.json()["request_options"]["publicKey"]["rpId"] == named
