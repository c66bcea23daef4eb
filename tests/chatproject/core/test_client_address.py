"""Whose address a request comes from."""

from typing import Any

import pytest

from chatproject.core.client_address import client_address

PROXY = "10.0.0.7"


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/24"]


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("203.0.113.5:5678", "203.0.113.5"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("198.51.100.1, 203.0.113.5:5678, 10.0.0.8:99", "203.0.113.5"),
        ("", PROXY),
        ("somebody", PROXY),
        ("203.0.113.5:port", PROXY),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy(hops: str, client: str) -> None:
    assert client_address(PROXY, hops) == client


def test_a_proxy_is_known_by_a_socket_for_both_kinds_of_address() -> None:
    assert client_address(f"::ffff:{PROXY}", "203.0.113.5") == "203.0.113.5"


def test_the_header_of_an_untrusted_peer_is_ignored() -> None:
    assert client_address("203.0.113.9", "203.0.113.5") == "203.0.113.9"
