"""Codes from an app and on paper, by the pages. What is said and sent there waits for the commit, so these commit."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from accounts.models import User
from tests.accounts.visitor import Visitor, here, words
from tests.support.redis import empty_redis

pytestmark = pytest.mark.usefixtures("committed")


PERIOD, LONG_ENOUGH = 30, 8


def code_now(secret: str) -> str:
    """What the app shows; a code that is about to change is not typed any more."""
    left = PERIOD - time.time() % PERIOD
    if left < LONG_ENOUGH:
        time.sleep(left)
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def set_up(visitor: Visitor) -> str:
    """Set up codes from an app, by the pages; give the app's secret."""
    visitor.confirm()
    page = visitor.get("/accounts/2fa/totp/activate/").content.decode()
    assert 'src="data:image/svg+xml;base64,' in page
    secret = re.search(r'class="secret">\s*(\w+)\s*<', page)
    assert secret
    # Looking at the page again would make another secret: the form is sent as it stood there.
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    sent = {"csrfmiddlewaretoken": token[1], "code": code_now(secret[1])}
    answer = visitor.client.post("/accounts/2fa/totp/activate/", sent, follow=True)
    assert "Codes from your app are on." in words(answer)
    assert here(answer) == "/accounts/2fa/recovery-codes/"
    # A code counts once, and the app shows the next one in half a minute.
    empty_redis()
    return secret[1]


def test_with_an_app_a_password_is_not_enough(dora: User, mailoutbox: Any) -> None:
    secret = set_up(Visitor(dora))
    assert mailoutbox[0].subject == "Parley: Codes from an app are on"
    visitor = Visitor()
    assert here(visitor.sign_in("dora")) == "/accounts/2fa/authenticate/"
    assert not visitor.is_in
    assert "That is not the code." in words(visitor.submit("/accounts/2fa/authenticate/", code="000000"))
    assert here(visitor.submit("/accounts/2fa/authenticate/", code=code_now(secret))) == "/"
    assert visitor.is_in


def test_a_code_on_paper_lets_in_once(dora: User) -> None:
    mine, visitor, thief = Visitor(dora), Visitor(), Visitor()
    set_up(mine)
    paper = mine.get("/accounts/2fa/recovery-codes/download/").content.decode().split()
    assert len(paper) == 10
    visitor.sign_in("dora")
    assert here(visitor.submit("/accounts/2fa/authenticate/", code=paper[0])) == "/"
    thief.sign_in("dora")
    thief.submit("/accounts/2fa/authenticate/", code=paper[0])
    assert not thief.is_in


def test_codes_are_switched_off_again(dora: User) -> None:
    visitor = Visitor(dora)
    set_up(visitor)
    answer = visitor.submit("/accounts/2fa/totp/deactivate/")
    assert here(answer) == "/settings/security"
    assert "Codes from your app are off." in words(answer)
    assert here(Visitor().sign_in("dora")) == "/"
