"""Searching for people by the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from accounts.people.relationships import make_contacts
from accounts.staff.service_account import service_account
from conversations.contacts.account_closure import close_account
from conversations.contacts.blocks import block
from conversations.contacts.search import search_people
from tests.accounts.conftest import Rest, data, pointers


@pytest.fixture
def crowd(person: Callable[..., User]) -> None:
    for username, display_name in [
        ("anna", "Élodie Durand"),
        ("an_dre", "Zoë"),
        ("andrea", ""),
        ("bertha", "Ann 100%"),
        ("claude", "Ann 1000"),
        ("dora", "Dora Ann"),
    ]:
        person(username, display_name=display_name)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("an", ["an_dre", "andrea", "anna", "bertha", "claude"]),
        ("ANN", ["anna", "bertha", "claude"]),
        ("ÉLO", ["anna"]),
        ("élodie d", ["anna"]),
        ("zo", ["an_dre"]),
        ("an_", ["an_dre"]),
        ("ann 100%", ["bertha"]),
        ("%%", []),
        ("__", []),
        ("a\\", []),
        ("do", ["dora"]),
        ("ora", []),
        (" an ", ["an_dre", "andrea", "anna", "bertha", "claude"]),
    ],
)
@pytest.mark.usefixtures("crowd")
def test_people_are_found_by_how_a_name_begins(rest: Rest, mallory: User, text: str, found: list[str]) -> None:
    shown = data(rest(mallory).get("/users", search=text))
    assert [user["username"] for user in shown] == found


@pytest.mark.parametrize("query", [{}, {"search": ""}, {"search": "a"}, {"search": " a "}, {"search": "a\0b"}])
def test_a_search_needs_two_letters(rest: Rest, alice: User, query: dict[str, str]) -> None:
    assert pointers(rest(alice).get("/users", **query)) == ["/search"]


@pytest.mark.usefixtures("crowd")
def test_search_results_come_in_pages(rest: Rest, mallory: User) -> None:
    client, query, seen = rest(mallory), {"search": "an", "limit": 2}, []
    while True:
        page = client.get("/users", **query).json()
        seen += [user["username"] for user in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        query["cursor"] = page["pagination"]["next"]
    assert seen == ["an_dre", "andrea", "anna", "bertha", "claude"]
    assert pointers(client.get("/users", search="an", cursor="made-up")) == ["/cursor"]


def test_the_search_finds_neither_oneself_nor_closed_accounts_but_people_who_block_one(
    alice: User, bob: User, person: Callable[..., User]
) -> None:
    close_account(by=person("alina"))
    block(by=bob, other=alice)
    assert search_people(by=alice, text="al").items == []
    assert [user["username"] for user in search_people(by=alice, text="bo").items] == ["bob"]


@pytest.fixture
def many(data: None) -> None:
    """Twenty thousand people."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user (id, username, display_name, folded_name, password, email, about, settings,"
            " is_bot, is_staff, is_active, is_superuser, date_joined, version, contacts_changed_at)"
            " SELECT gen_random_uuid(), 'user-' || n, md5(n::text), md5(n::text), '', '', '', '{}', false, false, true,"
            " false, now(), 0, now() FROM generate_series(1, 20000) n"
        )
        cursor.execute("ANALYZE accounts_user")


@pytest.mark.usefixtures("many")
def test_a_search_reads_indexes_and_never_the_whole_table(mallory: User) -> None:
    plans: list[str] = []

    def explain(execute: Any, sql: str, values: Any, many: bool, context: dict[str, Any]) -> Any:
        if "WITH found" in sql:
            cursor = context["cursor"].cursor
            plans.extend(row[0] for row in cursor.execute(f"EXPLAIN {sql}", values))
        return execute(sql, values, many, context)

    with connection.execute_wrapper(explain):
        assert search_people(by=mallory, text="abc").items
    assert "folded_name_prefix" in "".join(plans)
    assert "Seq Scan" not in "".join(plans)


@pytest.fixture
def circle(person: Callable[..., User], alice: User) -> None:
    """People who let Alice do more or less, by names that tell it."""
    for username, settings in [
        ("ann-anyone", {}),
        ("ann-adds-contacts", {"add": "contacts"}),
        ("ann-writes-contacts", {"write": "contacts"}),
        ("ann-contact", {"write": "contacts", "add": "contacts"}),
        ("ann-blocked", {}),
        ("ann-blocks", {}),
    ]:
        person(username, settings=settings)
    people = {user.username: user for user in User.objects.all()}
    make_contacts(alice.pk, people["ann-contact"].pk)
    block(by=alice, other=people["ann-blocked"])
    block(by=people["ann-blocks"], other=alice)


@pytest.mark.parametrize(
    ("act", "found"),
    [("write", ["adds-contacts", "anyone", "contact"]), ("add", ["anyone", "contact"])],
)
@pytest.mark.usefixtures("circle")
def test_people_who_may_not_be_written_to_or_added_are_not_offered(
    rest: Rest, alice: User, act: str, found: list[str]
) -> None:
    shown = data(rest(alice).get("/users", **{"search": "ann-", "for": act}))
    assert [user["username"].removeprefix("ann-") for user in shown] == found


@pytest.mark.usefixtures("circle")
def test_a_search_without_a_purpose_finds_everyone(rest: Rest, alice: User) -> None:
    assert len(data(rest(alice).get("/users", search="ann-"))) == 6


def test_the_service_account_is_not_offered(rest: Rest, alice: User, service: User) -> None:
    for act in ("write", "add"):
        assert data(rest(alice).get("/users", **{"search": service.username[:3], "for": act})) == []


@pytest.fixture
def service(data: None) -> User:
    return service_account()


@pytest.mark.parametrize("act", ["", "read", "WRITE"])
def test_an_unknown_purpose_of_a_search_is_refused(rest: Rest, alice: User, act: str) -> None:
    assert pointers(rest(alice).get("/users", **{"search": "ann", "for": act})) == ["/for"]
