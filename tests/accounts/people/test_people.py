"""Oneself and others: what is shown to whom, and who is found."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from accounts.people.relationships import make_contacts
from accounts.staff.service_account import service_account
from conversations.contacts.account_closure import close_account
from conversations.contacts.blocks import block
from conversations.contacts.profile import update_me
from conversations.contacts.search import search_people
from conversations.models import Conversation
from messaging.messages.send import send_message
from messaging.receipts.commands import mark_read
from messaging.sync.inbox import show_conversation
from tests.accounts.conftest import Rest, data, pointers

DEFAULTS = {
    "write": "everyone",
    "add": "everyone",
    "last_seen": True,
    "read_receipts": True,
    "theme": "system",
    "language": "auto",
}
WALLET = "0xabCDeF0123456789AbcdEf0123456789aBCDEF01"


# Oneself


def test_who_has_chosen_nothing_is_open_to_everyone(rest: Rest, alice: User) -> None:
    assert data(rest(alice).get("/users/me"))["settings"] == DEFAULTS


def test_what_i_say_of_myself_is_what_others_see(rest: Rest, alice: User, bob: User) -> None:
    mine = data(rest(alice).send("patch", "/users/me", {"display_name": " Alice M. ", "about": "Binds books\n"}))
    seen = data(rest(bob).get(f"/users/{alice.pk}"))
    assert (mine["display_name"], mine["about"]) == ("Alice M.", "Binds books\n")
    assert seen.items() <= mine.items()


def test_no_more_settings_are_at_fault_than_there_are(rest: Rest, alice: User) -> None:
    answer = rest(alice).send("patch", "/users/me", {"settings": {f"colour-{n}": n for n in range(1000)}})
    assert pointers(answer) == [f"/settings/colour-{n}" for n in range(len(DEFAULTS))]


def test_settings_that_are_not_named_stay_as_they_are(rest: Rest, alice: User) -> None:
    client = rest(alice)
    client.send("patch", "/users/me", {"settings": {"write": "contacts", "last_seen": False}})
    changed = data(client.send("patch", "/users/me", {"settings": {"last_seen": True}}))
    assert changed["settings"] == {**DEFAULTS, "write": "contacts"}
    assert data(client.get("/users/me")) == changed


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"settings": {"colour": "red"}}, "/settings/colour"),
        ({"settings": {"write": "nobody"}}, "/settings/write"),
        ({"settings": {"add": True}}, "/settings/add"),
        ({"settings": {"last_seen": "true"}}, "/settings/last_seen"),
        ({"settings": {"read_receipts": 1}}, "/settings/read_receipts"),
        ({"settings": {"read_receipts": None}}, "/settings/read_receipts"),
        ({"settings": {"write": ["contacts"]}}, "/settings/write"),
        ({"settings": {"theme": "blue"}}, "/settings/theme"),
        ({"settings": {"theme": True}}, "/settings/theme"),
        ({"settings": {"language": "tlh"}}, "/settings/language"),
        ({"settings": {"language": "de-AT"}}, "/settings/language"),
        ({"settings": {"language": ""}}, "/settings/language"),
        ({"settings": {"language": None}}, "/settings/language"),
        ({"settings": []}, "/settings"),
        ({"settings": None}, "/settings"),
        ({"display_name": " "}, "/display_name"),
        ({"display_name": "x" * 81}, "/display_name"),
        ({"display_name": 5}, "/display_name"),
        ({"about": "x" * 501}, "/about"),
        ({"about": None}, "/about"),
        ({"about": "a\0b"}, "/about"),
    ],
    ids=str,
)
def test_what_is_not_right_changes_nothing(rest: Rest, alice: User, body: dict[str, Any], pointer: str) -> None:
    client = rest(alice)
    before = data(client.get("/users/me"))
    assert pointers(client.send("patch", "/users/me", {"about": "New"} | body)) == [pointer]
    assert data(client.get("/users/me")) == before


def test_my_other_devices_are_told_of_a_change_once_and_of_none_never(alice: User) -> None:
    update_me(by=alice, about="Binds books", settings={"write": "contacts"})
    update_me(by=alice, about="Binds books", settings={"write": "contacts"})
    assert User.objects.get(pk=alice.pk).version == 1


# Others


@pytest.fixture
def rich(alice: User) -> User:
    User.objects.filter(pk=alice.pk).update(wallet_address=WALLET, email="alice@example.org")
    return alice


def test_the_wallet_is_for_contacts_and_the_email_for_nobody(rest: Rest, rich: User, bob: User, mallory: User) -> None:
    make_contacts(rich.pk, bob.pk)
    to_contact, to_stranger = (data(rest(user).get(f"/users/{rich.pk}")) for user in (bob, mallory))
    assert to_contact == {**to_stranger, "wallet": WALLET}
    assert to_stranger.keys().isdisjoint({"wallet", "email", "settings"})
    found = [data(rest(user).get("/users", search="alice"))[0] for user in (bob, mallory)]
    assert found == [to_contact, to_stranger]


@pytest.mark.parametrize(
    ("id", "status"), [("01890a5d-ac96-774b-bcce-b302099a8057", 404), ("alice", 400), ("%00", 400)]
)
def test_nobody_is_not_found(rest: Rest, alice: User, id: str, status: int) -> None:
    assert rest(alice).get(f"/users/{id}").status_code == status


def test_who_reads_without_telling_has_read_nothing_to_others(
    conversation: Conversation, alice: User, bob: User
) -> None:
    update_me(by=bob, settings={"read_receipts": False})
    through = send_message(by=alice, conversation_id=conversation.pk, text="Hi").message["position"]
    mark_read(by=bob, conversation_id=conversation.pk, through=through)
    seen = show_conversation(by=alice, conversation_id=conversation.pk)
    marks = {each["user"]["username"]: each["read_through"] for each in seen["participants"]}
    assert marks == {"alice": through, "bob": 0}
    assert show_conversation(by=bob, conversation_id=conversation.pk)["me"]["read_through"] == through


# Search


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
def test_what_is_found_comes_in_pages(rest: Rest, mallory: User) -> None:
    client, query, seen = rest(mallory), {"search": "an", "limit": 2}, []
    while True:
        page = client.get("/users", **query).json()
        seen += [user["username"] for user in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        query["cursor"] = page["pagination"]["next"]
    assert seen == ["an_dre", "andrea", "anna", "bertha", "claude"]
    assert pointers(client.get("/users", search="an", cursor="made-up")) == ["/cursor"]


def test_neither_i_nor_closed_accounts_are_found_but_who_has_blocked_me_is(
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


# Search for someone to write to, or to add


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
def test_who_may_not_be_written_to_or_added_is_not_offered(rest: Rest, alice: User, act: str, found: list[str]) -> None:
    shown = data(rest(alice).get("/users", **{"search": "ann-", "for": act}))
    assert [user["username"].removeprefix("ann-") for user in shown] == found


@pytest.mark.usefixtures("circle")
def test_without_a_purpose_everyone_is_found(rest: Rest, alice: User) -> None:
    assert len(data(rest(alice).get("/users", search="ann-"))) == 6


def test_the_service_account_is_not_offered(rest: Rest, alice: User, service: User) -> None:
    for act in ("write", "add"):
        assert data(rest(alice).get("/users", **{"search": service.username[:3], "for": act})) == []


@pytest.fixture
def service(data: None) -> User:
    return service_account()


@pytest.mark.parametrize("act", ["", "read", "WRITE"])
def test_people_are_looked_for_to_write_or_to_add(rest: Rest, alice: User, act: str) -> None:
    assert pointers(rest(alice).get("/users", **{"search": "ann", "for": act})) == ["/for"]
