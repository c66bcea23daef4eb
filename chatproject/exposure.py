"""Where this site listens, whether other machines can reach it, and at which origins its pages are open.

All of this is read from the settings alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from chatproject.environment import YES, InvalidSetting

DEMO_PEOPLE = ("alice", "bob", "carol", "staff")
DEMO_PASSWORD = "parley-demo"  # noqa: S105 (of the demo's people, known to everyone)
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Address:
    """The host and port to listen on."""

    host: str
    port: int

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Address":
        """Read the address from HOST and PORT; InvalidSetting if the port is no port number."""
        text = environ.get("PORT") or "8000"
        if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
            raise InvalidSetting(f"PORT must be a number from 1 to 65535, not {text!r}.")
        return cls(environ.get("HOST") or "127.0.0.1", int(text))

    def __str__(self) -> str:
        """Write it as the URL at which this machine reaches it."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 (compared, not listened on)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def is_public(self) -> bool:
        """Tell whether other machines may reach it."""
        return not is_local(self.host)


def exposing(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the settings by which others can reach this site; empty if only this machine can."""
    return [name for name, exposes in EXPOSING.items() if (value := environ.get(name, "").strip()) and exposes(value)]


def is_local(host: str) -> bool:
    """Tell whether a host name or address is reachable from this machine alone; false for what cannot be parsed."""
    name = host.strip().lower().removeprefix("[").removesuffix("]").rstrip(".")
    try:
        address = ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def site_origins(environ: Mapping[str, str], address: str) -> list[str]:
    """Return the origins at which pages of this site may be open, and those of other sites that may use it.

    `address` is the URL at which the server listens. `.example` in ALLOWED_HOSTS becomes `https://*.example`; `*` adds
    nothing, because it is unknown what it stands for.
    """
    port = urlsplit(address).port
    # A proxy with TLS listens on the default port, whatever ours is.
    form = "https://{}" if _is_yes(environ.get("BEHIND_TLS", "")) else f"http://{{}}:{port}"
    hosts = [form.format(f"*{host}" if host.startswith(".") else host) for host in _hosts(environ) if host != "*"]
    own = [_origin_of(environ.get("SITE_URL", "")), address, *(f"http://{name}:{port}" for name in LOCAL_NAMES)]
    return list(dict.fromkeys(filter(None, [*own, *hosts, *_words(environ.get("ALLOWED_ORIGINS", ""))])))


def _hosts(environ: Mapping[str, str]) -> Iterator[str]:
    return _words(environ.get("ALLOWED_HOSTS", ""))


def _origin_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _words(text: str) -> Iterator[str]:
    return (word.strip() for word in text.split(",") if word.strip())


def _is_yes(text: str) -> bool:
    return text.strip().lower() in YES


EXPOSING: dict[str, Callable[[str], bool]] = {
    "HOST": lambda host: not is_local(host),
    "SITE_URL": lambda url: not is_local(_host_of(url)),
    "ALLOWED_HOSTS": lambda hosts: not all(map(is_local, _words(hosts))),
    "BEHIND_TLS": _is_yes,
    "TRUSTED_PROXIES": bool,
}
"""For each setting, whether a value of it lets others reach this site."""
