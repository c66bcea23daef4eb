"""Addresses, signatures and messages of Ethereum, as the standards write them."""

import random

import pytest

from accounts.wallets.ethereum import HALF_ORDER, checksummed, signer_of
from accounts.wallets.siwe import SignInMessage
from tests.support.wallet import Wallet

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ASKED = {"nonce": "abcdefgh12345678", "domain": "chat.example:8000", "uri": "https://chat.example:8000"}
# Out of EIP-55.
VECTORS = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


@pytest.mark.parametrize("address", VECTORS)
def test_an_address_is_known_in_any_case_and_written_with_its_checksum(address: str) -> None:
    digits = address[2:]
    assert {checksummed("0x" + each) for each in (digits, digits.lower(), digits.upper())} == {address}


@pytest.mark.parametrize(
    "text",
    [
        *("", "0x", "a" * 42, "0X" + "a" * 40, "0x" + "a" * 40 + "\n"),
        *("0x" + digits for digits in ("a" * 39, "a" * 41, "g" * 40, "٣" * 40, "Ab" * 20)),
        VECTORS[4].replace("aAeb", "AAeb"),
    ],
)
def test_an_invalid_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        checksummed(text)


@pytest.mark.parametrize("number", [1, 2, 77, ORDER - 1])
@pytest.mark.parametrize("text", ["", "Hi", "Grüße \U0001f44d", "x" * 5000])
def test_the_signer_is_recovered(number: int, text: str) -> None:
    wallet = Wallet(number)
    signature = wallet.sign(text)
    assert signer_of(text, signature) == wallet.address
    assert signer_of(text, signature[:-2] + f"{int(signature[-2:], 16) - 27:02x}") == wallet.address
    assert signer_of(text + ".", signature) != wallet.address


def malformed(good: str) -> dict[str, str]:
    """The ways in which a signature is none."""
    r, s, v = good[2:66], int(good[66:130], 16), int(good[130:], 16)
    assert s <= HALF_ORDER
    return {
        "empty": "",
        "garbage": "nonsense",
        "no prefix": good[2:],
        "truncated": good[:-2],
        "half a byte less": good[:-1],
        "too long": good + "00",
        "a line end": good + "\n",
        "no digits": "0x" + "zz" * 65,
        "high s": f"0x{r}{ORDER - s:064x}{55 - v:02x}",
        "s is zero": f"0x{r}{0:064x}{v:02x}",
        "r is zero": f"0x{0:064x}{s:064x}{v:02x}",
        "r is beyond the order": f"0x{ORDER:064x}{s:064x}{v:02x}",
        "all zero": "0x" + "00" * 65,
        **{f"v is {n}": f"{good[:-2]}{n:02x}" for n in (2, 3, 26, 29, 37, 255)},
    }


@pytest.mark.parametrize("kind", malformed(Wallet().sign("Hi")))
def test_an_invalid_signature_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        signer_of("Hi", malformed(Wallet().sign("Hi"))[kind])


# Messages


@pytest.mark.parametrize(
    "more",
    [
        "",
        "\nExpiration Time: 2999-01-01T00:00:00Z",
        "\nNot Before: 2000-01-01T00:00:00.123456+02:00",
        "\nRequest ID: ",
        "\nRequest ID: a%20b",
        "\nResources:",
        "\nResources:\n- ipfs://bafy\n- https://example.com/a?b=c#d",
        "\nExpiration Time: 2999-01-01T00:00:00Z\nNot Before: 2000-01-01T00:00:00Z\nRequest ID: 1\nResources:\n- a:b",
    ],
)
def test_a_message_is_parsed_with_all_optional_fields(more: str) -> None:
    read = SignInMessage.read(Wallet().message(ASKED, more=more))
    assert (read.domain, read.uri, read.nonce) == (ASKED["domain"], ASKED["uri"], ASKED["nonce"])
    assert (read.address, read.scheme) == (Wallet().address, None)


def test_a_message_may_name_its_scheme_and_say_nothing() -> None:
    text = Wallet().message(ASKED, head="https://").replace("Sign in to Parley.\n", "")
    assert SignInMessage.read(text).scheme == "https"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Version: 1", "Version: 2"),
        ("Chain ID: 1", "Chain ID: x"),
        ("Chain ID: 1\n", ""),
        ("Nonce: abcdefgh12345678", "Nonce: abcdefg"),
        ("Nonce: abcdefgh12345678", "Nonce: abcdefgh-1234567"),
        ("Ethereum account", "Ethereum  account"),
        ("Sign in to Parley.", "Sign in to\nParley."),
        ("Sign in to Parley.", "Grüße"),
        ("URI: https", "URI: "),
        ("Issued At: 2", "Issued At: x"),
        ("Issued At: 20", "Issued At: 99"),
        ("\n\n", "\n"),
        ("\n", "\r\n"),
        ("T", " "),
        (Wallet().address, Wallet().address.lower()),
        (Wallet().address, Wallet().address[:-1]),
    ],
)
def test_a_message_that_the_grammar_does_not_know_is_refused(old: str, new: str) -> None:
    text = Wallet().message(ASKED, issued="2026-13-01T00:00:00Z" if new.endswith("99") else "2026-01-31T12:00:00Z")
    assert old in text
    with pytest.raises(ValueError, match=r"\w"):
        SignInMessage.read(text.replace(old, new))


@pytest.mark.parametrize(
    "more",
    [
        *("\n", " ", "\nNot Before: soon", "\nResources:\n- no uri", "\nResources:\n-ipfs://x", "\nAnd: more"),
        *("\nRequest ID: 1\nNot Before: 2000-01-01T00:00:00Z", "\nNot Before: 0001-01-01T00:00:00+23:59"),
    ],
)
def test_other_lines_at_the_end_are_refused(more: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        SignInMessage.read(Wallet().message(ASKED, more=more))


def test_random_texts_are_parsed_or_refused() -> None:
    """No text makes the parser fail in another way, and what it takes it takes with its fields unharmed."""
    dice = random.Random(4361)
    good = Wallet().message(ASKED, more="\nRequest ID: 1\nResources:\n- ipfs://x")
    for _ in range(3000):
        text = list(good)
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(text))
            text[place : place + dice.choice((0, 1, 1, 9))] = dice.choice(("", "\n", "0", "Z", ":", "é", " ", good))
        try:
            read = SignInMessage.read("".join(text))
        except ValueError:
            continue
        assert f"Nonce: {read.nonce}\n" in "".join(text)
        assert read.address == Wallet().address
