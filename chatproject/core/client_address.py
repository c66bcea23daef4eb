"""The client's address behind trusted proxies, and the origins of our own pages."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
HOP = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:]*):\d+")
"""An address with the port that some proxies append: `1.2.3.4:5678`, `[::1]:123`."""
DEFAULT_PORTS = {"http": 80, "https": 443}
CUSTOMER_PREFIX = 64
"""Prefix length of the IPv6 network that one customer usually has; they can use every address in it."""


def trusted_networks() -> list[Network]:
    """Return the trusted proxies from `TRUSTED_PROXIES`, as networks."""
    return [ip_network(text, strict=False) for text in settings.TRUSTED_PROXIES]


def is_trusted(address: str) -> bool:
    """Tell whether this is the address of a trusted proxy."""
    known = read_address(address)
    return known is not None and any(known in network for network in trusted_networks())


def client_address(peer: str | None, forwarded_for: str) -> str | None:
    """Return the last address in X-Forwarded-For that is no trusted proxy; the peer if that is not trusted itself."""
    address = peer
    for hop in reversed([hop.strip() for hop in forwarded_for.split(",") if hop.strip()]):
        if address is None or not is_trusted(address):
            break
        address = hop
    known = read_address(address or "")
    return str(known) if known else peer


def address_of(scope: dict[str, Any]) -> str | None:
    """Return the client of an ASGI connection; None if its server knows none, as behind a unix socket."""
    peer, *_ = scope.get("client") or (None,)
    forwarded = [value.decode("latin1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return client_address(peer, ",".join(forwarded))


def read_address(text: str) -> Address | None:
    """Parse an address with or without a port; an IPv4-mapped IPv6 address becomes IPv4. None if it is invalid."""
    hop = HOP.fullmatch(text)
    try:
        known = ip_address((hop[1] or hop[2]) if hop else text)
    except ValueError:
        return None
    return known.ipv4_mapped or known if isinstance(known, IPv6Address) else known


def rate_limit_subject(text: str) -> str:
    """Return what rate limits count for an address: the /64 network of IPv6; anything else unchanged."""
    known = read_address(text)
    if isinstance(known, IPv6Address):
        return str(IPv6Network((int(known), CUSTOMER_PREFIX), strict=False))
    return str(known) if known else text


def origin_of(url: str) -> str:
    """Return the origin of a URL as browsers write it: in lower case, without the scheme's default port."""
    parts = urlsplit(url)
    return _origin(parts.scheme, f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname, parts.port)


def own_origins() -> set[str]:
    """Return the origins of our pages: SITE_URL, and its scheme and port with each name in ALLOWED_HOSTS.

    Names with a wildcard are left out, because other sites may use a subdomain of ours.
    """
    site = urlsplit(settings.SITE_URL)
    names = [name.lower() for name in settings.ALLOWED_HOSTS if not name.startswith((".", "*"))]
    return {origin_of(settings.SITE_URL), *(_origin(site.scheme, name, site.port) for name in names)}


def _origin(scheme: str, name: str | None, port: int | None) -> str:
    return f"{scheme}://{name}" if port in {None, DEFAULT_PORTS.get(scheme)} else f"{scheme}://{name}:{port}"
