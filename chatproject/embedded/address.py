"""Where the page is: the host and port to listen on."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from chatproject.exposure import is_local

from .errors import CannotRun


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port, checked before anything starts."""

    host: str
    port: int

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Address":
        """Find the address that the environment names."""
        text = environ.get("PORT") or "8000"
        if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
            raise CannotRun(f"PORT must be a number from 1 to 65535, not {text!r}.")
        return cls(environ.get("HOST") or "127.0.0.1", int(text))

    def __str__(self) -> str:
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 (compared, not listened on)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def is_public(self) -> bool:
        """Tell whether other machines may reach the page."""
        return not is_local(self.host)

    def require_free(self) -> None:
        """Refuse to start where another program listens already."""
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise CannotRun(
                    f"Parley cannot listen on {self.host} port {self.port}: {error.strerror}. "
                    f"If another program uses it, choose another one: make run PORT={self.port % 65535 + 1}"
                ) from error
