"""Whose address a request comes from, when there are proxies before us."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.conf import settings

Network = IPv4Network | IPv6Network


def trusted_networks() -> list[Network]:
    """The proxies that are believed, from `TRUSTED_PROXIES`: addresses or networks."""
    return [ip_network(text, strict=False) for text in settings.TRUSTED_PROXIES]


def is_trusted(address: str) -> bool:
    """Tell whether this is one of our proxies."""
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in trusted_networks())


def client_address(peer: str | None, forwarded_for: str) -> str | None:
    """Find the client: the last address of X-Forwarded-For that none of our proxies has; the peer's if it is none."""
    address = peer
    for hop in reversed([hop.strip() for hop in forwarded_for.split(",") if hop.strip()]):
        if address is None or not is_trusted(address):
            break
        address = hop
    try:
        return str(ip_address(address)) if address else None
    except ValueError:
        return peer
