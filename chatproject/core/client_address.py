"""Whose address a request comes from, when there are proxies before us, and the addresses at which our pages are."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
HOP = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:]*):\d+")
"""Proxies may write a port behind an address: `1.2.3.4:5678`, `[::1]:123`."""
DEFAULT_PORTS = {"http": 80, "https": 443}
WHOLE_HOST = 64
"""The part of an IPv6 address that names a customer; who has it may use all addresses in it."""


def trusted_networks() -> list[Network]:
    """The proxies that are believed, from `TRUSTED_PROXIES`: addresses or networks."""
    return [ip_network(text, strict=False) for text in settings.TRUSTED_PROXIES]


def is_trusted(address: str) -> bool:
    """Tell whether this is one of our proxies."""
    known = read_address(address)
    return known is not None and any(known in network for network in trusted_networks())


def client_address(peer: str | None, forwarded_for: str) -> str | None:
    """Find the client: the last address of X-Forwarded-For that none of our proxies has; the peer's if it is none."""
    address = peer
    for hop in reversed([hop.strip() for hop in forwarded_for.split(",") if hop.strip()]):
        if address is None or not is_trusted(address):
            break
        address = hop
    known = read_address(address or "")
    return str(known) if known else peer


def address_of(scope: dict[str, Any]) -> str | None:
    """Find the client of an ASGI connection; None where its server knows of none, as behind a unix socket."""
    peer, *_ = scope.get("client") or (None,)
    told = [value.decode("latin1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return client_address(peer, ",".join(told))


def read_address(text: str) -> Address | None:
    """Read an address, with or without a port; one of IPv4 is itself even when IPv6 wraps it. None if it is none."""
    hop = HOP.fullmatch(text)
    try:
        known = ip_address((hop[1] or hop[2]) if hop else text)
    except ValueError:
        return None
    return known.ipv4_mapped or known if isinstance(known, IPv6Address) else known


def rate_limit_subject(text: str) -> str:
    """Say whom to count for an address: of IPv6 the network of 64 bits; anything else is itself."""
    known = read_address(text)
    if isinstance(known, IPv6Address):
        return str(IPv6Network((int(known), WHOLE_HOST), strict=False))
    return str(known) if known else text


def origin_of(url: str) -> str:
    """Write scheme, name and port of a URL as browsers do: in lower case, without the default port of the scheme."""
    parts = urlsplit(url)
    return _origin(parts.scheme, f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname, parts.port)


def own_origins() -> set[str]:
    """List the origins of our pages: SITE_URL, and its scheme and port with each name in ALLOWED_HOSTS.

    Names with a wildcard are left out: other sites may have a name below ours.
    """
    site = urlsplit(settings.SITE_URL)
    names = [name.lower() for name in settings.ALLOWED_HOSTS if not name.startswith((".", "*"))]
    return {origin_of(settings.SITE_URL), *(_origin(site.scheme, name, site.port) for name in names)}


def _origin(scheme: str, name: str | None, port: int | None) -> str:
    return f"{scheme}://{name}" if port in {None, DEFAULT_PORTS.get(scheme)} else f"{scheme}://{name}:{port}"
