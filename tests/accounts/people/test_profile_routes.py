"""Routes of one's own profile and settings, and of other people's profiles."""

from typing import Any

import pytest

from accounts.models import User
from accounts.people.relationships import make_contacts
from conversations.contacts.profile import update_me
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


def test_default_settings_are_open_to_everyone(rest: Rest, alice: User) -> None:
    assert data(rest(alice).get("/users/me"))["settings"] == DEFAULTS


def test_others_see_the_profile_that_i_save(rest: Rest, alice: User, bob: User) -> None:
    mine = data(rest(alice).send("patch", "/users/me", {"display_name": " Alice M. ", "about": "Binds books\n"}))
    seen = data(rest(bob).get(f"/users/{alice.pk}"))
    assert (mine["display_name"], mine["about"]) == ("Alice M.", "Binds books\n")
    assert seen.items() <= mine.items()


def test_at_most_one_error_per_known_setting_is_reported(rest: Rest, alice: User) -> None:
    answer = rest(alice).send("patch", "/users/me", {"settings": {f"colour-{n}": n for n in range(1000)}})
    assert pointers(answer) == [f"/settings/colour-{n}" for n in range(len(DEFAULTS))]


def test_settings_that_are_not_sent_stay_unchanged(rest: Rest, alice: User) -> None:
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
def test_an_invalid_value_changes_nothing(rest: Rest, alice: User, body: dict[str, Any], pointer: str) -> None:
    client = rest(alice)
    before = data(client.get("/users/me"))
    assert pointers(client.send("patch", "/users/me", {"about": "New"} | body)) == [pointer]
    assert data(client.get("/users/me")) == before


def test_a_change_is_published_once_and_no_change_is_not_published(alice: User) -> None:
    update_me(by=alice, about="Binds books", settings={"write": "contacts"})
    update_me(by=alice, about="Binds books", settings={"write": "contacts"})
    assert User.objects.get(pk=alice.pk).version == 1


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
def test_an_unknown_or_malformed_id_is_refused(rest: Rest, alice: User, id: str, status: int) -> None:
    assert rest(alice).get(f"/users/{id}").status_code == status


def test_others_do_not_see_the_receipts_of_someone_who_hides_them(
    conversation: Conversation, alice: User, bob: User
) -> None:
    update_me(by=bob, settings={"read_receipts": False})
    through = send_message(by=alice, conversation_id=conversation.pk, text="Hi").message["position"]
    mark_read(by=bob, conversation_id=conversation.pk, through=through)
    seen = show_conversation(by=alice, conversation_id=conversation.pk)
    marks = {each["user"]["username"]: each["read_through"] for each in seen["participants"]}
    assert marks == {"alice": through, "bob": 0}
    assert show_conversation(by=bob, conversation_id=conversation.pk)["me"]["read_through"] == through
