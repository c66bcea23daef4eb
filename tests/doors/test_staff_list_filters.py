"""What a list of the staff's can be asked for: what it offers, and nothing that it does not show."""

import re
from collections.abc import Iterator
from itertools import chain

import pytest
from django.contrib import admin
from django.db.models import Field, Model
from django.urls import reverse

from accounts.auth.sessions import start_session
from accounts.models import Session, User
from conversations.invite_links import make_link
from conversations.models import Conversation
from messaging.moderation.reports import report_message
from tests.accounts.visitor import Visitor
from tests.messaging.helpers import say

pytestmark = pytest.mark.django_db

# A guess that fits every value there is, and one that fits none.
GUESSES = {
    "regex": (".", "^$-"),
    "isnull": ("False", "True"),
    "gte": ("0", "9"),
}
PATHS = ["{}", "{}__password", "{}__sessions__refresh_hash", "{}__user__password"]


@pytest.fixture
def desk(staff: User) -> Visitor:
    return Visitor(staff)


@pytest.fixture
def things(alice: User, bob: User, conversation: Conversation, group: Conversation) -> None:
    """One of everything that the staff may look at."""
    alice.set_password("a secret nobody guesses")
    alice.save()
    start_session(user=alice, name="Firefox", ip="203.0.113.7")
    make_link(by=alice, conversation_id=group.pk)
    report_message(by=alice, message_id=say(bob, conversation, "Hi")["id"], reason="spam", comment="Not nice")


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def answer_to(desk: Visitor, path: str, **query: str) -> tuple[int, str, str]:
    """What an answer shows: its status, where it leads, and its page but for tokens and what repeats the query."""
    answer = desk.client.get(path, query)
    page = re.sub(r'value="[^"]*"|href="\?[^"]*"', "", answer.content.decode())
    return answer.status_code, answer.headers.get("Location", ""), page


def hostile_lookups(model: type[Model]) -> Iterator[str]:
    """Every field of a model, of what it refers to, and of what refers to it."""
    for field in model._meta.get_fields():
        for path in PATHS if not isinstance(field, Field) or field.is_relation else PATHS[:1]:
            yield path.format(field.name)


def told_by(desk: Visitor, model: type[Model]) -> list[str]:
    """Return the lookups by which a list tells a right guess from a wrong one, or fails."""
    found = []
    for name in chain(hostile_lookups(model), ("nobody", "pk", "id__id__id")):
        for lookup, (right, wrong) in GUESSES.items():
            answers = [answer_to(desk, list_of(model), **{f"{name}__{lookup}": guess}) for guess in (right, wrong)]
            if answers[0] != answers[1] or answers[0][0] >= 500:
                found.append(f"{name}__{lookup}")
    return found


@pytest.mark.long
@pytest.mark.usefixtures("things")
@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_no_list_tells_a_right_guess_from_a_wrong_one(desk: Visitor, model: type[Model]) -> None:
    desk.client.raise_request_exception = False
    offered = {f"{field}__isnull" for field in admin.site.get_model_admin(model).list_filter}
    assert [name for name in told_by(desk, model) if name not in offered] == []


@pytest.mark.usefixtures("things")
@pytest.mark.parametrize("lookup", ["password__regex", "sessions__refresh_hash__regex", "password", "email__iregex"])
def test_a_password_is_not_found_out_by_asking(desk: Visitor, lookup: str) -> None:
    answers = {answer_to(desk, "/admin/accounts/user/", **{lookup: guess}) for guess in ("argon2", "zebra", "(", ".")}
    assert len(answers) == 1
    assert answers.pop()[0] in {302, 400}


HOSTILE_QUERIES: list[dict[str, str]] = [
    {"_to_field": "password"},
    {"_popup": "1", "_to_field": "username"},
    {"_facets": "True"},
    {"e": "1", "password__regex": "("},
    {"o": "99.-99.x.1e9.--1"},
    {"o": "9" * 5000},
    {"p": "-1"},
    {"p": "9" * 30},
    {"p": "\0"},
    {"q": "\0"},
    {"q": "'\"\\ %_ " * 2000},
    {"q": "a " * 3000},
    {"kind": "\0"},
    {"kind__exact": "\0"},
    {"task_name": "\0"},
    {"is_staff__exact": "maybe"},
    {"resolved_at__isempty": "2"},
    {"id__in": "x"},
    {"": "1"},
    {"__": "1"},
    {"pk__pk__pk": "1"},
]


@pytest.mark.long
@pytest.mark.usefixtures("things")
@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_no_query_breaks_a_list(desk: Visitor, model: type[Model]) -> None:
    desk.client.raise_request_exception = False
    answers = {str(query)[:60]: desk.client.get(list_of(model), query, follow=True) for query in HOSTILE_QUERIES}
    assert {query: each.status_code for query, each in answers.items() if each.status_code not in {200, 400}} == {}


@pytest.mark.parametrize("query", ["?_to_field=username", "?_to_field=password"])
def test_a_page_is_found_by_its_id_alone(desk: Visitor, alice: User, query: str) -> None:
    assert desk.client.get(f"/admin/accounts/user/{alice.pk}/change/{query}").status_code == 400


@pytest.mark.parametrize(
    "path", ["/admin/r/1/1/", "/admin/autocomplete/?app_label=accounts&model_name=user&field_name=x"]
)
def test_no_other_view_tells_what_is_there(desk: Visitor, path: str) -> None:
    assert desk.client.get(path).status_code == 404


@pytest.mark.usefixtures("things")
def test_what_a_list_offers_still_works(desk: Visitor, alice: User, staff: User) -> None:
    page = desk.client.get("/admin/accounts/user/", {"is_staff__exact": "1", "o": "-1", "q": "sta"})
    assert page.status_code == 200
    assert (str(staff.pk) in page.content.decode(), str(alice.pk) in page.content.decode()) == (True, False)
    assert Session.objects.filter(user=alice).exists()
