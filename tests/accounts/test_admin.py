"""The admin's own views lead to ours, which begin and end our sessions."""

from typing import Any

import pytest

from accounts.auth.tokens import live_session
from accounts.models import User
from tests.accounts.visitor import PASSWORD, Visitor, here

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(staff: User) -> Visitor:
    return Visitor(staff)


def test_a_password_is_changed_on_our_page(visitor: Visitor) -> None:
    answer = visitor.client.get("/admin/password_change/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/change/")


def test_a_password_posted_to_the_admin_changes_nothing(visitor: Visitor, staff: User) -> None:
    before = staff.password
    visitor.post("/admin/password_change/", old_password="", new_password1="secret 4242", new_password2="secret 4242")
    staff.refresh_from_db()
    assert staff.password == before


def test_whoever_is_in_learns_nothing_of_passwords_from_the_form_of_the_admin(visitor: Visitor, person: Any) -> None:
    person("ada", PASSWORD, is_staff=True)
    wrong, right = (visitor.post("/admin/login/", username="ada", password=each) for each in ("wrong", PASSWORD))
    assert here(wrong) == here(right) == "/admin/"
    assert visitor.is_in


def test_leaving_the_admin_ends_our_session(visitor: Visitor) -> None:
    answer = visitor.submit("/admin/", "/admin/logout/")
    assert here(answer) == "/accounts/login/"
    assert live_session(visitor.session.pk) is None
