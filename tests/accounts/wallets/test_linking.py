"""Linking and unlinking a wallet by the API, and what a linked wallet may do."""

from functools import partial
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from accounts.models import User
from accounts.people.relationships import make_contacts
from chatproject.core.errors import Conflict
from messaging.messages.service_messages import send_service_message
from messaging.models import Message
from tests.accounts.conftest import Rest, code, data, pointers
from tests.accounts.visitor import PASSWORD, Visitor
from tests.accounts.wallets.conftest import WALLET, post
from tests.support.together import together
from tests.support.wallet import Wallet, confirmed, give_wallet


@pytest.mark.usefixtures("committed")
def test_one_of_several_people_who_link_the_same_wallet_at_once_succeeds(alice: User, bob: User, carol: User) -> None:
    def link(user: User) -> str:
        try:
            return give_wallet(user).username
        except Conflict:
            return "conflict"

    found = together(*(partial(link, user) for user in (alice, bob, carol)))
    assert found.count("conflict") == 2
    assert User.objects.filter(wallet_address=Wallet().address).count() == 1


def test_contacts_are_notified_when_a_wallet_is_linked_and_unlinked(
    asked: Any, rest: Rest, dora: User, bob: User
) -> None:
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


def test_a_wallet_belongs_to_one_person_and_a_person_has_one_wallet(
    asked: Any, rest: Rest, alice: User, bob: User
) -> None:
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
def test_linking_a_linked_wallet_again_sends_no_message(dora: User) -> None:
    give_wallet(dora)
    give_wallet(dora)
    assert Message.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_linking_wallets_and_service_messages_do_not_deadlock(dora: User, bob: User) -> None:
    make_contacts(dora.pk, bob.pk)
    calls = [
        partial(give_wallet, dora),
        partial(give_wallet, bob, Wallet(2)),
        partial(send_service_message, [dora, bob], "Hi"),
    ]
    together(*calls, *calls)
    assert Message.objects.count() == 6


def change(caller: Any, **more: Any) -> Any:
    said = {"old_password": PASSWORD, "new_password": "another secret 42", **more}
    return caller.send("post", "/auth/password", said)


@pytest.mark.parametrize(
    ("wish", "left"), [({}, True), ({"unlink_wallets": False}, True), ({"unlink_wallets": True}, False)]
)
def test_a_password_change_unlinks_the_wallet_on_request(rest: Rest, dora: User, wish: Any, left: bool) -> None:
    give_wallet(dora)
    assert change(rest(dora), **wish).status_code == 204
    dora.refresh_from_db()
    assert dora.check_password("another secret 42")
    assert (dora.wallet_address is not None) is left


def test_unlinking_needs_a_code_if_there_is_a_second_factor(rest: Rest, dora: User) -> None:
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


def test_an_account_is_closed_by_its_own_wallet_alone(asked: Any, rest: Rest, alice: User) -> None:
    give_wallet(alice)
    caller = rest(alice)
    assert code(caller.send("post", "/users/me/close", Wallet(2).proof(asked()))) == (401, "bad_credentials")
    assert pointers(caller.send("post", "/users/me/close", {"message": "x"})) == ["/password"]
    assert caller.send("post", "/users/me/close", Wallet().proof(asked())).status_code == 204
    alice.refresh_from_db()
    assert (alice.is_active, alice.wallet_address) == (False, None)
