"""Wallets by the pages: what a browser's wallet has signed is sent with a form, as a browser sends it."""

from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

from accounts.models import User
from tests.accounts.conftest import data
from tests.accounts.visitor import PASSWORD, Visitor, here, words
from tests.accounts.web.test_second_factor import set_up
from tests.support.wallet import Wallet, give_wallet

pytestmark = pytest.mark.usefixtures("committed", "unhurried")

SIGN_IN, LINK, UNLINK = "/sign-in/wallet", "/settings/security/wallet/link", "/settings/security/wallet/unlink"
CONFIRM = "/settings/security/confirm"


def signed(wallet: Wallet | None = None) -> dict[str, str]:
    """Let a wallet sign what the server has written for it; forms send the ends of lines as CR LF."""
    wallet = wallet or Wallet()
    asked = {"address": wallet.address.lower()}
    answer = Visitor().client.post("/api/v1/auth/wallet/nonce", asked, content_type="application/json")
    message = data(answer, 201)["message"]
    return {"message": message.replace("\n", "\r\n"), "signature": wallet.sign(message)}


def come(visitor: Visitor, page: str = "/accounts/login/", **other: str) -> Any:
    return visitor.submit(page, SIGN_IN, **{**signed(), **other})


def test_a_wallet_makes_an_account_and_finds_it_again() -> None:
    first, again = Visitor(), Visitor()
    assert here(come(first)) == here(come(again)) == "/"
    assert User.objects.get().wallet_address == Wallet().address


def test_signing_in_redirects_to_the_requested_page() -> None:
    assert here(come(Visitor(), "/accounts/login/?next=/settings/privacy")) == "/settings/privacy"


def test_it_leads_nowhere_else() -> None:
    assert here(come(Visitor(), next="https://evil.example/")) == "/"


def test_its_session_is_one_of_ours() -> None:
    visitor = Visitor()
    come(visitor)
    assert User.objects.get().sessions.get().name == visitor.client.defaults["HTTP_USER_AGENT"]


@pytest.mark.parametrize(
    "other", [{"signature": "0x00"}, {"signature": ""}, {"message": ""}, {"message": "x"}, {"message": "x" * 5000}]
)
def test_what_proves_nothing_lets_nobody_in(other: dict[str, str]) -> None:
    visitor = Visitor()
    answer = come(visitor, "/accounts/login/?next=/contacts", **other)
    assert "That does not show that this wallet is yours." in words(answer)
    assert answer.request["QUERY_STRING"] == "next=%2Fcontacts"
    assert not visitor.is_in
    assert not User.objects.exists()


def test_what_was_signed_lets_in_once() -> None:
    proof, thief = signed(), Visitor()
    come(Visitor(), **proof)
    come(thief, **proof)
    assert not thief.is_in


def test_failures_of_an_address_are_counted(settings: Any) -> None:
    settings.CHAT_LIMITS = True
    for _ in range(20):
        come(Visitor(), signature="0x00")
    visitor = Visitor()
    assert "Too many failed attempts." in words(come(visitor))
    assert not visitor.is_in


def test_it_takes_a_token_of_the_page() -> None:
    answer = Visitor().client.post(SIGN_IN, signed())
    assert answer.status_code == 403
    assert not User.objects.exists()


def test_who_has_a_second_factor_is_asked_for_it(dora: User) -> None:
    set_up(Visitor(dora))
    give_wallet(dora)
    visitor = Visitor()
    assert here(come(visitor)) == "/accounts/2fa/authenticate/"
    assert not visitor.is_in


def test_a_suspended_person_is_told_so(dora: User) -> None:
    give_wallet(dora)
    User.objects.filter(pk=dora.pk).update(suspended_at=dora.date_joined, suspension_reason="Be nice.")
    visitor = Visitor()
    answer = come(visitor)
    assert answer.status_code == 403
    assert "Be nice." in words(answer)
    assert not visitor.is_in


def test_a_wallet_is_linked_and_unlinked_by_who_confirms_it(dora: User) -> None:
    visitor = Visitor(dora)
    page = visitor.get("/settings/security")
    assert LINK not in page.content.decode()
    assert f'href="{CONFIRM}">Link a wallet' in page.content.decode()
    visitor.confirm()
    answer = visitor.submit("/settings/security", LINK, **signed())
    assert "Your wallet is linked" in words(answer)
    assert Wallet().address in words(answer)
    assert here(come(Visitor())) == "/"
    assert "Your wallet is unlinked." in words(visitor.submit("/settings/security", UNLINK))
    assert "This browser has no wallet" in words(visitor.get("/settings/security"))


def test_a_stolen_cookie_neither_links_nor_unlinks_a_wallet(dora: User) -> None:
    thief = Visitor(dora)
    assert here(thief.post(LINK, **signed())) == CONFIRM
    assert User.objects.get(pk=dora.pk).wallet_address is None
    give_wallet(dora)
    assert here(thief.post(UNLINK)) == CONFIRM
    assert User.objects.get(pk=dora.pk).wallet_address
    assert f'href="{CONFIRM}">Unlink the wallet' in thief.get("/settings/security").content.decode()


def test_the_wallet_of_someone_else_is_not_linked(dora: User, alice: User) -> None:
    give_wallet(alice)
    visitor = Visitor(dora)
    visitor.confirm()
    assert "This wallet is someone else's." in words(visitor.submit("/settings/security", LINK, **signed()))


def test_what_proves_nothing_is_not_linked(dora: User) -> None:
    visitor = Visitor(dora)
    visitor.confirm()
    answer = visitor.submit("/settings/security", LINK, **signed() | {"signature": signed(Wallet(2))["signature"]})
    assert "That does not show that this wallet is yours." in words(answer)
    assert User.objects.get(pk=dora.pk).wallet_address is None


# Confirming, and what asks for it


def test_who_has_no_password_confirms_with_the_wallet_and_goes_on_to_where_they_wanted() -> None:
    visitor = Visitor()
    come(visitor)
    asked = visitor.get("/accounts/2fa/totp/activate/")
    assert here(asked) == CONFIRM
    where = f"{CONFIRM}?{asked.request['QUERY_STRING']}"
    assert "does not show that it is you" in words(visitor.submit(where, CONFIRM, **signed(Wallet(2))))
    assert here(visitor.submit(where, CONFIRM, **signed())) == "/accounts/2fa/totp/activate/"


@pytest.mark.parametrize(
    "path", ["2fa/totp/activate/", "2fa/webauthn/add/", "2fa/recovery-codes/generate/", "password/set/"]
)
def test_who_came_by_a_wallet_confirms_before_there_is_another_way_in(path: str) -> None:
    visitor = Visitor()
    come(visitor)
    assert here(visitor.get(f"/accounts/{path}")) == CONFIRM
    answer = visitor.post(f"/accounts/{path}", password1=PASSWORD, password2=PASSWORD)
    assert here(answer) == CONFIRM
    assert not User.objects.get().has_usable_password()


def test_nor_is_an_address_given_before(mailoutbox: Any) -> None:
    visitor = Visitor()
    come(visitor)
    assert here(visitor.post("/accounts/email/", email="thief@example.org", action_add="")) == CONFIRM
    assert mailoutbox == []


def test_a_second_factor_is_asked_for_as_well(dora: User) -> None:
    set_up(Visitor(dora))
    visitor, paper = Visitor(dora), RecoveryCodes.activate(dora).get_unused_codes()
    assert "Code" in words(visitor.get(CONFIRM))
    assert "This field is required" in words(visitor.submit(CONFIRM, password=PASSWORD))
    assert "does not show that it is you" in words(visitor.submit(CONFIRM, password=PASSWORD, code="000000"))
    assert here(visitor.get("/accounts/2fa/recovery-codes/")) == CONFIRM
    assert here(visitor.submit(CONFIRM, password=PASSWORD, code=paper[0])) == "/settings/security"
    assert here(visitor.get("/accounts/2fa/recovery-codes/")) == "/accounts/2fa/recovery-codes/"


def test_wrong_confirmations_count_as_failures_to_sign_in(dora: User, settings: Any) -> None:
    settings.CHAT_LIMITS = True
    visitor = Visitor(dora)
    for _ in range(5):
        visitor.submit(CONFIRM, password="guess")
    assert "Too many failed attempts." in words(visitor.submit(CONFIRM, password=PASSWORD))
    assert here(Visitor().sign_in("dora")) == "/"


def test_it_leads_to_no_other_site_from_there(dora: User) -> None:
    answer = Visitor(dora).submit(f"{CONFIRM}?next=https://evil.example/", CONFIRM, password=PASSWORD)
    assert here(answer) == "/settings/security"


# A new password


def change(visitor: Visitor, **more: Any) -> Any:
    new = {"password1": "another secret 42", "password2": "another secret 42"}
    return visitor.submit("/accounts/password/change/", oldpassword=PASSWORD, **new, **more)


def test_a_new_password_offers_to_unlink_the_wallet(dora: User) -> None:
    visitor = Visitor(dora)
    assert "Unlink my wallet, too" not in words(visitor.get("/accounts/password/change/"))
    give_wallet(dora)
    assert "Unlink my wallet, too" in words(visitor.get("/accounts/password/change/"))
    assert here(change(visitor, unlink_wallets="on")) == "/settings/security"
    dora.refresh_from_db()
    assert dora.wallet_address is None
    assert dora.check_password("another secret 42")
    assert visitor.is_in


def test_and_leaves_it_where_one_does_not_wish_so(dora: User) -> None:
    give_wallet(dora)
    change(Visitor(dora))
    dora.refresh_from_db()
    assert dora.wallet_address
    assert dora.check_password("another secret 42")


def test_who_has_a_second_factor_confirms_before_the_password_changes(dora: User) -> None:
    give_wallet(dora)
    set_up(Visitor(dora))
    visitor, paper = Visitor(dora), RecoveryCodes.activate(dora).get_unused_codes()
    assert here(visitor.get("/accounts/password/change/")) == CONFIRM
    visitor.submit(CONFIRM, password=PASSWORD, code=paper[0])
    assert here(change(visitor, unlink_wallets="on")) == "/settings/security"
    assert User.objects.get(pk=dora.pk).wallet_address is None


def test_the_only_way_in_is_not_unlinked() -> None:
    visitor = Visitor()
    come(visitor)
    visitor.submit(CONFIRM, **signed())
    assert "choose a password before you unlink it" in words(visitor.get("/settings/security"))
    assert "Choose a password first" in words(visitor.post(UNLINK))
    assert User.objects.get().wallet_address


def test_whom_a_wallet_made_chooses_a_name_and_a_password() -> None:
    visitor = Visitor()
    come(visitor)
    assert "Someone has this name" not in words(visitor.submit("/settings/profile", username="Dora"))
    assert User.objects.get().username == "dora"
    assert "Yours was made up" not in words(visitor.get("/settings/profile"))
    visitor.submit(CONFIRM, **signed())
    visitor.submit("/accounts/password/set/", password1=PASSWORD, password2=PASSWORD)
    assert here(Visitor().sign_in("dora")) == "/"


@pytest.mark.parametrize(("name", "said"), [("bob", "Someone has this name"), ("no name", "Use the letters a to z")])
def test_a_name_that_cannot_be_had_is_refused(bob: User, name: str, said: str) -> None:
    visitor = Visitor()
    come(visitor)
    assert said in words(visitor.submit("/settings/profile", username=name))


def test_others_choose_no_other_name(dora: User) -> None:
    Visitor(dora).submit("/settings/profile", username="mallory")
    assert User.objects.get(pk=dora.pk).username == "dora"
