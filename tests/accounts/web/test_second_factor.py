"""Codes from an app and on paper, by the pages. What is said and sent there waits for the commit, so these commit."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.auth.password_change import set_password
from accounts.models import User
from tests.accounts.visitor import PASSWORD, Visitor, here, words
from tests.support.codes import code_of, forget_used_codes

pytestmark = pytest.mark.usefixtures("committed")


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
    sent = {"csrfmiddlewaretoken": token[1], "code": code_of(secret[1])}
    answer = visitor.client.post("/accounts/2fa/totp/activate/", sent, follow=True)
    assert "Codes from your app are on." in words(answer)
    assert here(answer) == "/accounts/2fa/recovery-codes/"
    return secret[1]


def test_with_an_app_a_password_is_not_enough(dora: User, mailoutbox: Any) -> None:
    secret = set_up(Visitor(dora))
    forget_used_codes()
    assert mailoutbox[0].subject == "Parley: Codes from an app are on"
    visitor = Visitor()
    assert here(visitor.sign_in("dora")) == "/accounts/2fa/authenticate/"
    assert not visitor.is_in
    assert "That is not the code." in words(visitor.submit("/accounts/2fa/authenticate/", code="000000"))
    assert here(visitor.submit("/accounts/2fa/authenticate/", code=code_of(secret))) == "/"
    assert visitor.is_in


def test_the_code_that_set_an_app_up_lets_nobody_in(dora: User) -> None:
    secret = set_up(Visitor(dora))
    visitor = Visitor()
    visitor.sign_in("dora")
    assert "That is not the code." in words(visitor.submit("/accounts/2fa/authenticate/", code=code_of(secret)))
    assert not visitor.is_in


def test_a_page_takes_the_code_before_and_no_door_takes_it_again(dora: User) -> None:
    secret = set_up(Visitor(dora))
    forget_used_codes()
    code = code_of(secret, steps=-1)
    visitor, thief = Visitor(), Visitor()
    visitor.sign_in("dora")
    assert here(visitor.submit("/accounts/2fa/authenticate/", code=code)) == "/"
    thief.sign_in("dora")
    thief.submit("/accounts/2fa/authenticate/", code=code)
    assert not thief.is_in
    body = {"username": "dora", "password": PASSWORD, "code": code}
    assert Client().post("/api/v1/auth/token", body, content_type="application/json").status_code == 401


def test_the_staffs_room_takes_no_code_twice(dora: User) -> None:
    User.objects.filter(pk=dora.pk).update(is_staff=True)
    secret = set_up(Visitor(dora))
    forget_used_codes()
    code = code_of(secret)
    visitor, thief = Visitor(), Visitor()
    for each, arrives in ((visitor, True), (thief, False)):
        assert here(each.get("/admin/")) == "/accounts/login/"
        each.sign_in("dora")
        each.submit("/accounts/2fa/authenticate/", code=code)
        assert (here(each.get("/admin/")) == "/admin/") is arrives


def test_confirming_oneself_uses_a_code_up(dora: User) -> None:
    visitor = Visitor(dora)
    secret = set_up(visitor)
    forget_used_codes()
    code = code_of(secret)
    path = "/settings/security/confirm?next=/settings/security"
    assert here(visitor.submit(path, password=PASSWORD, code=code)) == "/settings/security"
    assert "That does not show that it is you." in words(visitor.submit(path, password=PASSWORD, code=code))


def test_wrong_codes_on_a_page_are_counted_like_wrong_passwords(dora: User, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    secret = set_up(Visitor(dora))
    forget_used_codes()
    visitor = Visitor()
    visitor.sign_in("dora")
    for _ in range(5):
        assert "That is not the code." in words(visitor.submit("/accounts/2fa/authenticate/", code="000000"))
    answer = visitor.submit("/accounts/2fa/authenticate/", code=code_of(secret))
    assert "Too many failed attempts" in words(answer)


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


def test_a_sign_in_that_waits_for_a_code_ends_with_the_password_that_began_it(dora: User) -> None:
    secret = set_up(Visitor(dora))
    forget_used_codes()
    thief = Visitor()
    thief.sign_in("dora")
    dora.refresh_from_db()
    set_password(user=dora, password="another secret 42")
    answer = thief.submit("/accounts/2fa/authenticate/", code=code_of(secret))
    assert "The password has just been changed." in words(answer)
    assert not thief.is_in
