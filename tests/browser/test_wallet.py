"""A browser with a wallet: a library signs with a real key, and the wallet accepts or declines."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from accounts.models import User
from tests.browser.conftest import Enter
from tests.browser.layout import fits
from tests.browser.window import Window
from tests.support.browser import PASSWORD
from tests.support.wallet import Wallet

IN_THE_WINDOW = "window.ethereum = { request: (asked) => askWallet(asked) };"
ANNOUNCED = """
const provider = { request: (asked) => askWallet(asked) };
const info = { uuid: "0", name: "A wallet", rdns: "org.example", icon: "data:," };
const tell = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: { info, provider } }));
addEventListener("eip6963:requestProvider", tell);
"""
SAYS_NO = """
const no = Object.assign(new Error("no"), { code: 4001 });
window.ethereum = { request: (asked) => asked.method === "personal_sign" ? Promise.reject(no) : askWallet(asked) };
"""
SIGN_IN = "Sign in with your wallet"


@pytest.fixture
def erin(person: Any) -> User:
    """A person with a password."""
    return person("erin", PASSWORD)


async def give_wallet(window: Window, way: str = IN_THE_WINDOW) -> None:
    """Put a wallet into a browser; most wallets return their address in lower case."""
    wallet = Wallet()

    def ask(asked: dict[str, Any]) -> Any:
        if asked["method"] == "eth_requestAccounts":
            return [wallet.address.lower()]
        text, address = asked["params"]
        assert (asked["method"], address) == ("personal_sign", wallet.address.lower())
        return wallet.sign(bytes.fromhex(text.removeprefix("0x")).decode())

    await window.page.expose_function("askWallet", ask)
    await window.page.add_init_script(way)


async def sign_in(page: Page) -> None:
    await page.goto("/accounts/login/")
    await page.get_by_role("button", name=SIGN_IN).click()


async def confirm(page: Page) -> None:
    """Confirm the identity by the password."""
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Go on").click()


@pytest.mark.parametrize("way", [IN_THE_WINDOW, ANNOUNCED])
async def test_a_wallet_signs_in(enter: Enter, data: None, way: str) -> None:
    window = await enter(viewport={"width": 360, "height": 740})
    await give_wallet(window, way)
    await sign_in(window.page)
    await expect(window.inbox).to_contain_text("It is quiet here")


async def test_a_declined_signature_can_be_retried(enter: Enter, data: None) -> None:
    window = await enter()
    await give_wallet(window, SAYS_NO)
    await sign_in(window.page)
    await expect(window.page.get_by_role("alert")).to_have_text("That was not completed. You can try again.")
    await expect(window.page.get_by_role("button", name=SIGN_IN)).to_be_enabled()
    await fits(window)


async def test_without_a_wallet_there_is_no_button(enter: Enter, erin: User) -> None:
    window, mine = await enter(), await enter(erin)
    await window.goto("/accounts/login/")
    await expect(window.page.get_by_role("button", name=SIGN_IN)).to_be_hidden()
    await mine.goto("/settings/security/confirm")
    await confirm(mine.page)
    await expect(mine.page.get_by_text("This browser has no wallet")).to_be_visible()


async def test_a_wallet_is_linked_signs_in_and_is_unlinked(enter: Enter, erin: User) -> None:
    mine, elsewhere = await enter(erin), await enter()
    await give_wallet(mine)
    await mine.goto("/settings/security")
    await mine.page.get_by_role("link", name="Link a wallet").click()
    await fits(mine)
    await confirm(mine.page)
    await mine.page.get_by_role("button", name="Link your wallet").click()
    await expect(mine.page.get_by_text(Wallet().address)).to_be_visible()
    await fits(mine)

    await give_wallet(elsewhere)
    await sign_in(elsewhere.page)
    await expect(elsewhere.inbox).to_contain_text("It is quiet here")
    await elsewhere.goto("/settings/profile")
    await expect(elsewhere.page.get_by_text("Left empty, others see erin.")).to_be_visible()

    await mine.page.get_by_role("button", name="Unlink the wallet").click()
    await expect(mine.page.get_by_text("Your wallet is unlinked.")).to_be_visible()


async def test_a_person_without_a_password_confirms_with_the_wallet(enter: Enter, data: None) -> None:
    window = await enter(viewport={"width": 360, "height": 740})
    await give_wallet(window)
    await sign_in(window.page)
    await expect(window.inbox).to_contain_text("It is quiet here")
    await window.goto("/settings/security")
    await window.page.get_by_role("link", name="Choose a password").click()
    await fits(window)
    await window.page.get_by_role("button", name="Use your wallet").click()
    await expect(window.page).to_have_url("/accounts/password/set/")
