"""Free ports: the one that a person chose for the page, and those that we choose for the storage."""

import random
import socket

from chatproject.exposure import Address

from .errors import CannotRun

# Below the range from which systems take ports for outgoing connections.
RANGE = range(12_000, 32_000)


def require_free(address: Address) -> None:
    """Raise CannotRun if another program listens there already."""
    with socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise CannotRun(
                f"Parley cannot listen on {address.host} port {address.port}: {error.strerror}. "
                f"If another program uses it, choose another one: make run PORT={address.port % 65535 + 1}"
            ) from error


def choose_ports(count: int) -> list[int]:
    """Return that many loopback ports that are free at this moment."""
    free = [port for port in random.sample(RANGE, k=count * 20) if is_free(port)]
    if len(free) < count:
        raise CannotRun("There are not enough free ports on this machine for the storage.")
    return free[:count]


def is_free(port: int) -> bool:
    """Tell whether we could listen on that loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
