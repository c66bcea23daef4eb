"""The headers of an answer, learned from Django's own answers to requests like it."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from chatproject.core.client_address import is_trusted
from chatproject.core.ids import uuid7
from chatproject.server.compression import COMPRESSED_FROM
from chatproject.server.middleware import ACCEPTED_ID

Header = tuple[bytes, bytes]

KINDS_KEPT = 256
DECIDING = (b"host", b"accept-language", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"origin")
"""What of a request decides about headers of its answer, beside the path."""
OWN = frozenset({b"content-length", b"content-encoding", b"x-request-id", b"ratelimit", b"ratelimit-policy"})
"""What differs from answer to answer."""


class Kind(NamedTuple):
    """Requests whose answers have the same headers."""

    route: str
    scheme: str
    is_from_proxy: bool
    deciding: tuple[bytes | None, ...]


def kind_of(route: str, scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> Kind:
    """Return the kind of a request."""
    peer, *_ = scope.get("client") or (None,)
    scheme, deciding = scope.get("scheme", "http"), tuple(headers.get(name) for name in DECIDING)
    return Kind(route, scheme, peer is not None and _is_trusted(peer), deciding)


@lru_cache(maxsize=4096)
def _is_trusted(peer: str) -> bool:
    return is_trusted(peer)


class LearnedHeaders:
    """The headers of each kind of answer, of as many kinds as are kept."""

    def __init__(self) -> None:
        self._known: OrderedDict[Kind, Sequence[Header]] = OrderedDict()

    def get(self, kind: Kind) -> Sequence[Header] | None:
        return self._known.get(kind)

    def learn(self, kind: Kind, headers: Sequence[Header]) -> None:
        """Remember what Django's answer had, unless it set a cookie: that is for one person alone."""
        if any(name.lower() == b"set-cookie" for name, _ in headers):
            return
        self._known[kind] = [
            (name, _without_encoding(value) if name.lower() == b"vary" else value)
            for name, value in headers
            if name.lower() not in OWN
        ]
        while len(self._known) > KINDS_KEPT:
            self._known.popitem(last=False)


def headers_of(
    learned: Sequence[Header], request: Mapping[bytes, bytes], body: bytes, *, sent: bytes, limits: Mapping[str, str]
) -> list[Header]:
    """Write the headers of an answer whose body is sent as it is, or compressed."""
    size = len(body)
    headers = [(name, _with_encoding(value, size) if name.lower() == b"vary" else value) for name, value in learned]
    headers += [(name.encode(), value.encode()) for name, value in limits.items()]
    if sent is not body:
        headers.append((b"Content-Encoding", b"gzip"))
    given = request.get(b"x-request-id", b"").decode("latin1")
    id = given if ACCEPTED_ID.fullmatch(given) else str(uuid7())
    return [*headers, (b"Content-Length", str(len(sent)).encode()), (b"X-Request-ID", id.encode())]


def _without_encoding(vary: bytes) -> bytes:
    return b", ".join(each for each in vary.split(b", ") if each != b"Accept-Encoding")


def _with_encoding(vary: bytes, size: int) -> bytes:
    return vary + b", Accept-Encoding" if size >= COMPRESSED_FROM else vary
