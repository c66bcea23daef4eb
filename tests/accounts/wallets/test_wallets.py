"""Signing in with a wallet by the API; signatures are another library's."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from accounts.models import User
from accounts.people.relationships import make_contacts
from accounts.wallets.nonces import issue_nonce
from accounts.wallets.sign_in import user_of_wallet, verify_wallet
from chatproject.core.errors import Conflict
from conversations.contacts.account_closure import close_account
from conversations.models import Conversation
from messaging.messages.service_messages import send_service_message
from messaging.models import Message
from tests.accounts.conftest import Rest, code, data, pointers
from tests.accounts.visitor import PASSWORD, Visitor
from tests.support.redis import empty_redis
from tests.support.together import together
from tests.support.wallet import Wallet, confirmed, give_wallet, moment

Enter = Callable[..., Any]
NONCE, WALLET = "/api/v1/auth/wallet/nonce", "/api/v1/auth/wallet"
OTHER = {"domain": "evil.example", "uri": "https://evil.example"}


def post(path: str, body: Any = None, client: Client | None = None) -> Any:
    return (client or Client()).post(path, body or {}, content_type="application/json")


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.SITE_URL = "https://chat.example"


@pytest.fixture
def asked(data: None) -> Callable[[], dict[str, Any]]:
    """Ask the server what a message has to carry."""
    empty_redis()
    return lambda: post(NONCE).json()["data"]


@pytest.fixture
def enter(asked: Any) -> Enter:
    """Sign a fresh message, with some fields written otherwise, and show it."""

    def show(wallet: Wallet | None = None, *, more_fields: Any = None, **other: Any) -> Any:
        return post(WALLET, {**(wallet or Wallet()).proof(asked(), **other), **(more_fields or {})})

    return show


def test_a_wallet_makes_an_account_at_first_sight_and_finds_it_again(enter: Enter) -> None:
    first, again, other = data(enter()), data(enter()), data(enter(Wallet(2)))
    assert first.keys() == {"user", "access", "refresh", "session_id", "device_token"}
    assert first["user"]["wallet"] == Wallet().address
    assert first["user"]["username"].startswith("w_")
    assert len(first["user"]["username"]) == 14
    assert first["user"]["id"] == again["user"]["id"] != other["user"]["id"]
    assert not User.objects.get(pk=first["user"]["id"]).has_usable_password()


def test_the_server_says_what_a_message_has_to_carry(asked: Any) -> None:
    said = asked()
    assert (said["expires_in"], said["domain"], said["uri"]) == (300, "chat.example", "https://chat.example")
    assert said["nonce"].isalnum()
    assert len(said["nonce"]) >= 8


FORGED = {
    "HTTP_HOST": "127.0.0.1:6666",
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_PROTO": "http",
    "HTTP_FORWARDED": "host=evil.example",
}


def test_domain_and_uri_are_those_of_the_site_whatever_a_request_says_of_itself(data: None) -> None:
    said = post(NONCE, client=Client(**FORGED)).json()["data"]
    assert (said["domain"], said["uri"]) == ("chat.example", "https://chat.example")


@pytest.mark.parametrize("domain", ["127.0.0.1:6666", "testserver", "evil.example"])
def test_what_was_signed_for_another_host_lets_nobody_in_there(asked: Any, domain: str) -> None:
    proof = Wallet().proof(asked(), domain=domain, uri=f"http://{domain}")
    answer = post(WALLET, proof, Client(**{**FORGED, "HTTP_HOST": "127.0.0.1:6666"}))
    assert code(answer) == (401, "bad_credentials")


@pytest.mark.parametrize(
    ("url", "domain"), [("http://localhost:8000", "localhost:8000"), ("https://Chat.Example:443/", "chat.example")]
)
def test_a_site_is_written_as_browsers_write_it(enter: Enter, settings: Any, url: str, domain: str) -> None:
    settings.SITE_URL = url
    said = post(NONCE).json()["data"]
    assert (said["domain"], said["uri"]) == (domain, f"{url.partition('://')[0]}://{domain}")
    assert data(enter())


# Moments count from when the test runs.
REFUSED: dict[str, Callable[[], dict[str, Any]]] = {
    "another domain": lambda: {"domain": "evil.example"},
    "another uri": lambda: {"uri": "http://evil.example"},
    "a deeper uri": lambda: {"uri": "https://chat.example/x"},
    "another scheme": lambda: {"head": "http://"},
    "another site": lambda: OTHER,
    "another version": lambda: {"version": "2"},
    "no chain": lambda: {"chain": ""},
    "another's address": lambda: {"address": Wallet(2).address},
    "an address without checksum": lambda: {"address": Wallet().address.lower()},
    "a nonce that we never gave": lambda: {"nonce": "0" * 32},
    "a short nonce": lambda: {"nonce": "0" * 7},
    "issued long ago": lambda: {"issued": moment(minutes=11)},
    "issued ahead": lambda: {"issued": moment(minutes=-3)},
    "no time": lambda: {"issued": "now"},
    "expired": lambda: {"more": f"\nExpiration Time: {moment(seconds=1)}"},
    "not begun": lambda: {"more": f"\nNot Before: {moment(minutes=-1)}"},
    "more than the grammar knows": lambda: {"more": "\nAnd: more"},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_message_with_something_wrong_lets_nobody_in(enter: Enter, kind: str) -> None:
    assert code(enter(**REFUSED[kind]())) == (401, "bad_credentials")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "other",
    [
        lambda: {"issued": moment(minutes=9)},
        lambda: {"issued": moment(minutes=-1)},
        lambda: {"head": "https://"},
        lambda: {"more": f"\nExpiration Time: {moment(minutes=-5)}\nNot Before: {moment(minutes=1)}\nRequest ID: 7"},
        lambda: {"chain": "137"},
    ],
)
def test_what_is_allowed_lets_in(enter: Enter, other: Any) -> None:
    assert data(enter(**other()))


@pytest.mark.parametrize("signature", ["", "0x", "nonsense", "0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "11" * 64])
def test_without_a_signature_nobody_comes_in(asked: Any, signature: str) -> None:
    proof = Wallet().proof(asked())
    assert code(post(WALLET, proof | {"signature": signature})) == (401, "bad_credentials")
    # The nonce is used up by it.
    assert code(post(WALLET, proof)) == (401, "bad_credentials")


def test_a_message_counts_once(asked: Any) -> None:
    proof = Wallet().proof(asked())
    data(post(WALLET, proof))
    assert code(post(WALLET, proof)) == (401, "bad_credentials")


@pytest.mark.parametrize("body", [{"message": 5, "signature": "x"}, {"message": "x", "signature": []}, {}])
def test_a_body_of_other_types_is_malformed(data: None, body: Any) -> None:
    assert code(post(WALLET, body)) == (400, "invalid")


def test_failures_count_by_address_and_successes_do_not(enter: Enter, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    for _ in range(19):
        assert code(enter(**OTHER)) == (401, "bad_credentials")
    data(enter())
    assert code(enter(**OTHER)) == (401, "bad_credentials")
    assert code(enter()) == (429, "rate_limited")


def test_new_people_count_as_registrations(enter: Enter, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    answers = [enter(Wallet(number)).status_code for number in range(1, 12)]
    assert answers == [200] * 10 + [429]
    assert data(enter())


def test_a_suspended_person_stays_out_and_a_closed_one_is_someone_new(enter: Enter) -> None:
    first = User.objects.get(pk=data(enter())["user"]["id"])
    User.objects.filter(pk=first.pk).update(is_active=False)
    assert code(enter()) == (401, "bad_credentials")
    User.objects.filter(pk=first.pk).update(is_active=True)
    close_account(by=first)
    assert data(enter())["user"]["id"] != str(first.pk)


def test_a_second_factor_is_asked_for(enter: Enter) -> None:
    user = User.objects.get(pk=data(enter())["user"]["id"])
    TOTP.activate(user, generate_totp_secret())
    paper = RecoveryCodes.activate(user).get_unused_codes()[0]
    assert code(enter()) == (401, "bad_credentials")
    assert code(enter(more_fields={"code": "000000"})) == (401, "bad_credentials")
    assert data(enter(more_fields={"code": paper}))


@pytest.mark.usefixtures("committed")
def test_two_first_times_at_once_make_one_person() -> None:
    empty_redis()
    found = together(*[lambda: user_of_wallet(wallet=Wallet().address, address="192.0.2.1") for _ in range(4)])
    assert len({user.pk for user in found}) == User.objects.count() == 1


def test_the_same_signature_at_once_counts_once(asked: Any) -> None:
    said = asked()
    proof = Wallet().proof(said)

    def show() -> str | None:
        try:
            return verify_wallet(**proof, address="192.0.2.1")
        except Exception:
            return None

    assert sorted(map(str, together(show, show, show))) == [Wallet().address, "None", "None"]


@pytest.mark.usefixtures("committed")
def test_of_people_who_link_one_wallet_at_once_one_has_it(alice: User, bob: User, carol: User) -> None:
    def link(user: User) -> str:
        try:
            return give_wallet(user).username
        except Conflict:
            return "conflict"

    found = together(*(partial(link, user) for user in (alice, bob, carol)))
    assert found.count("conflict") == 2
    assert User.objects.filter(wallet_address=Wallet().address).count() == 1


# One's own name, once


def test_a_name_that_was_given_is_changed_once(enter: Enter, rest: Rest, bob: User) -> None:
    caller = rest(User.objects.get(pk=data(enter())["user"]["id"]))
    assert code(caller.send("patch", "/users/me", {"username": "BOB"})) == (409, "conflict")
    assert pointers(caller.send("patch", "/users/me", {"username": "x"})) == ["/username"]
    assert data(caller.send("patch", "/users/me", {"username": "Dora"}))["username"] == "dora"
    assert data(caller.send("patch", "/users/me", {"username": "dora"}))["username"] == "dora"
    assert code(caller.send("patch", "/users/me", {"username": "dorothy"})) == (403, "not_allowed")
    assert code(rest(bob).send("patch", "/users/me", {"username": "rob"})) == (403, "not_allowed")


# Linking


def test_a_wallet_is_linked_and_unlinked_and_contacts_are_told(asked: Any, rest: Rest, dora: User, bob: User) -> None:
    make_contacts(dora.pk, bob.pk)
    before = versions()
    caller = rest(dora)
    confirmed(dora)
    assert data(caller.send("post", "/auth/wallet", Wallet().proof(asked()))).keys() == {"user"}
    assert data(rest(bob).get(f"/users/{dora.pk}"))["wallet"] == Wallet().address
    assert caller.send("delete", "/users/me/wallet").status_code == 204
    assert caller.send("delete", "/users/me/wallet").status_code == 204
    assert data(rest(bob).get(f"/users/{dora.pk}"))["wallet"] is None
    assert {name: versions()[name] - before[name] for name in ("dora", "bob")} == {"dora": 2, "bob": 2}


def versions() -> dict[str, int]:
    return dict(User.objects.values_list("username", "version"))


def test_a_wallet_is_one_persons_and_a_person_has_one(asked: Any, rest: Rest, alice: User, bob: User) -> None:
    give_wallet(alice)
    callers = rest(alice), rest(bob)
    confirmed(alice), confirmed(bob)
    assert code(callers[1].send("post", "/auth/wallet", Wallet().proof(asked()))) == (409, "conflict")
    assert code(callers[0].send("post", "/auth/wallet", Wallet(2).proof(asked()))) == (409, "conflict")
    assert data(callers[0].send("post", "/auth/wallet", Wallet().proof(asked())))
    # She has no password.
    assert code(callers[0].send("delete", "/users/me/wallet")) == (409, "conflict")


def test_a_stolen_token_neither_links_nor_unlinks_a_wallet(asked: Any, rest: Rest, dora: User) -> None:
    thief, proof = rest(dora), Wallet().proof(asked())
    assert code(thief.send("post", "/auth/wallet", proof)) == (403, "confirmation_required")
    assert User.objects.get(pk=dora.pk).wallet_address is None
    confirmed(dora)
    # The message is still good.
    assert data(thief.send("post", "/auth/wallet", proof))
    assert code(rest(dora).send("delete", "/users/me/wallet")) == (403, "confirmation_required")
    assert User.objects.get(pk=dora.pk).wallet_address == Wallet().address


def test_a_cookie_alone_links_nothing(asked: Any, alice: User) -> None:
    answer = post(WALLET, Wallet().proof(asked()), Visitor(alice).client)
    assert code(answer) == (403, "not_allowed")


@pytest.mark.usefixtures("committed")
def test_the_person_is_notified_on_all_their_devices_and_by_mail(
    asked: Any, rest: Rest, dora: User, mailoutbox: Any
) -> None:
    caller = rest(dora)
    confirmed(dora)
    data(caller.send("post", "/auth/wallet", Wallet().proof(asked())))
    caller.send("delete", "/users/me/wallet")
    [conversation] = data(caller.get("/conversations"))
    said = [each["text"] for each in data(caller.get(f"/messages/conversation/{conversation['id']}"))]
    assert conversation["participants"][0]["user"]["is_bot"] or conversation["participants"][1]["user"]["is_bot"]
    assert [Wallet().address in text for text in said] == [True, True]
    assert ["was linked" in text for text in said] == [True, False]
    assert [mail.subject for mail in mailoutbox] == [
        "Parley: A wallet was linked to your account",
        "Parley: A wallet was unlinked from your account",
    ]
    assert all(Wallet().address in mail.body and mail.to == [dora.email] for mail in mailoutbox)


@pytest.mark.usefixtures("committed")
def test_an_address_that_nobody_confirmed_gets_no_such_mail(
    asked: Any, rest: Rest, dora: User, mailoutbox: Any
) -> None:
    EmailAddress.objects.update(verified=False)
    caller = rest(dora)
    confirmed(dora)
    data(caller.send("post", "/auth/wallet", Wallet().proof(asked())))
    assert mailoutbox == []


@pytest.mark.usefixtures("committed")
def test_linking_what_is_linked_says_nothing(dora: User) -> None:
    give_wallet(dora)
    give_wallet(dora)
    assert Message.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_people_and_the_place_lock_each_other_in_one_order(dora: User, bob: User) -> None:
    make_contacts(dora.pk, bob.pk)
    calls = [
        partial(give_wallet, dora),
        partial(give_wallet, bob, Wallet(2)),
        partial(send_service_message, [dora, bob], "Hi"),
    ]
    together(*calls, *calls)
    assert Message.objects.count() == 6


# A new password


def change(caller: Any, **more: Any) -> Any:
    said = {"old_password": PASSWORD, "new_password": "another secret 42", **more}
    return caller.send("post", "/auth/password", said)


@pytest.mark.parametrize(
    ("wish", "left"), [({}, True), ({"unlink_wallets": False}, True), ({"unlink_wallets": True}, False)]
)
def test_a_new_password_unlinks_the_wallet_if_one_wishes(rest: Rest, dora: User, wish: Any, left: bool) -> None:
    give_wallet(dora)
    assert change(rest(dora), **wish).status_code == 204
    dora.refresh_from_db()
    assert dora.check_password("another secret 42")
    assert (dora.wallet_address is not None) is left


def test_who_has_a_second_factor_gives_a_code_to_unlink_it(rest: Rest, dora: User) -> None:
    give_wallet(dora)
    TOTP.activate(dora, generate_totp_secret())
    paper = RecoveryCodes.activate(dora).get_unused_codes()[0]
    caller = rest(dora)
    assert code(change(caller, unlink_wallets=True)) == (401, "bad_credentials")
    dora.refresh_from_db()
    assert dora.wallet_address
    assert dora.check_password(PASSWORD)
    assert change(caller, unlink_wallets=True, code=paper).status_code == 204
    dora.refresh_from_db()
    assert dora.wallet_address is None


def test_a_weak_password_leaves_the_wallet_as_it_is(rest: Rest, dora: User) -> None:
    give_wallet(dora)
    assert pointers(change(rest(dora), unlink_wallets=True, new_password="12345678")) != []
    dora.refresh_from_db()
    assert dora.wallet_address


# Naming people, and the end


def test_a_person_is_named_by_the_wallet_in_any_case(rest: Rest, alice: User, bob: User) -> None:
    give_wallet(bob)
    make_contacts(alice.pk, bob.pk)
    digits = Wallet().address[2:]
    for written in (digits, digits.lower(), digits.upper()):
        answer = rest(alice).send("post", "/conversations", {"kind": "direct", "to": {"wallet": f"0x{written}"}})
        assert answer.json()["data"]["name"] == "Bob"
    answer = rest(alice).send("post", "/conversations", {"kind": "direct", "to": {"wallet": f"0x{digits.swapcase()}"}})
    assert pointers(answer) == ["/to"]


# How each call names a person, and what a contact gets.
NAMING: dict[str, tuple[Callable[[Any], dict[str, Any]], int]] = {
    "/conversations": (lambda who: {"kind": "direct", "to": who}, 201),
    "/conversations?group": (lambda who: {"kind": "group", "name": "G", "participants": [who]}, 201),
    "/conversations/{group}/participants": (lambda who: {"users": [who]}, 200),
    "/conversations/{group}/transfer": (lambda who: {"to": who}, 404),
    "/contacts/invitations": (lambda who: {"to": who}, 409),
}


@pytest.mark.parametrize("call", NAMING)
def test_to_a_stranger_a_wallet_is_nobodys(
    rest: Rest, alice: User, mallory: User, group: Conversation, call: str
) -> None:
    give_wallet(mallory)
    body, wanted = NAMING[call]
    path, caller = call.partition("?")[0].format(group=group.pk), rest(alice)
    known, unknown = (caller.send("post", path, body({"wallet": each.address})) for each in (Wallet(), Wallet(2)))
    assert code(known) == code(unknown) == (404, "not_found")
    assert known.json()["detail"] == unknown.json()["detail"]
    make_contacts(alice.pk, mallory.pk)
    assert caller.send("post", path, body({"wallet": Wallet().address})).status_code == wanted


def test_no_search_finds_a_person_by_the_wallet(rest: Rest, alice: User, mallory: User) -> None:
    give_wallet(mallory)
    make_contacts(alice.pk, mallory.pk)
    assert data(rest(alice).get("/users", search=Wallet().address)) == []


def test_an_account_is_closed_by_its_own_wallet_alone(asked: Any, rest: Rest, alice: User) -> None:
    give_wallet(alice)
    caller = rest(alice)
    assert code(caller.send("post", "/users/me/close", Wallet(2).proof(asked()))) == (401, "bad_credentials")
    assert pointers(caller.send("post", "/users/me/close", {"message": "x"})) == ["/password"]
    assert caller.send("post", "/users/me/close", Wallet().proof(asked())).status_code == 204
    alice.refresh_from_db()
    assert (alice.is_active, alice.wallet_address) == (False, None)


def test_a_password_still_signs_in_beside_a_wallet(dora: User) -> None:
    give_wallet(dora)
    assert Visitor().sign_in("dora", PASSWORD).status_code == 200
    assert issue_nonce() != issue_nonce()
