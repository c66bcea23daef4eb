"""Sign-In with Ethereum (EIP-4361): writing and strictly parsing the message that a wallet signs."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accounts.wallets.ethereum import checksummed

MAX_AGE, MAX_CLOCK_SKEW = timedelta(minutes=10), timedelta(minutes=2)
"""How old a message may be, and how far the clock of a wallet may be ahead of the server's."""

STATEMENT = "Show that this wallet is yours. This costs nothing and moves nothing."

_TIME = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)"
_URI = r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?\#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
MESSAGE = re.compile(
    rf"""
    (?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?
    (?P<domain>[A-Za-z0-9._~%!$&'()*+,;=:@\[\]-]+)[ ]wants[ ]you[ ]to[ ]sign[ ]in[ ]with[ ]your[ ]Ethereum[ ]account:\n
    (?P<address>0x[0-9A-Fa-f]{{40}})\n\n
    (?:(?P<statement>[A-Za-z0-9._~:/?\#\[\]@!$&'()*+,;=\ -]+)\n)?\n
    URI:[ ](?P<uri>{_URI})\n
    Version:[ ](?P<version>1)\n
    Chain[ ]ID:[ ](?P<chain_id>\d{{1,78}})\n
    Nonce:[ ](?P<nonce>[A-Za-z0-9]{{8,128}})\n
    Issued[ ]At:[ ](?P<issued_at>{_TIME})
    (?:\nExpiration[ ]Time:[ ](?P<expires_at>{_TIME}))?
    (?:\nNot[ ]Before:[ ](?P<not_before>{_TIME}))?
    (?:\nRequest[ ]ID:[ ](?P<request_id>(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{{2}})*))?
    (?:\nResources:(?P<resources>(?:\n-[ ]{_URI})*))?
    """,
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Site:
    """The site where people sign in, which a message must name."""

    scheme: str
    domain: str

    @classmethod
    def of(cls, origin: str) -> "Site":
        """Parse the origin of a site, as browsers write it."""
        scheme, _, domain = origin.partition("://")
        return cls(scheme, domain)

    @property
    def uri(self) -> str:
        return f"{self.scheme}://{self.domain}"


def message_for(site: Site, *, address: str, nonce: str, at: datetime) -> str:
    """Return the message that the wallet with this address has to sign. Raises ValueError for an invalid address."""
    return (
        f"{site.domain} wants you to sign in with your Ethereum account:\n{checksummed(address)}\n\n{STATEMENT}\n\n"
        f"URI: {site.uri}\nVersion: 1\nChain ID: 1\nNonce: {nonce}\nIssued At: {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    )


@dataclass(frozen=True, slots=True)
class SignInMessage:
    """The fields of a sign-in message that the server checks."""

    scheme: str | None
    domain: str
    address: str
    uri: str
    nonce: str
    issued_at: datetime
    expires_at: datetime | None
    not_before: datetime | None

    @classmethod
    def read(cls, text: str) -> "SignInMessage":
        """Parse a message. Raises ValueError for a text that does not follow the grammar."""
        found = MESSAGE.fullmatch(text)
        if found is None or checksummed(found["address"]) != found["address"]:
            raise ValueError("This is not an EIP-4361 message.")
        return cls(
            scheme=found["scheme"],
            domain=found["domain"],
            address=found["address"],
            uri=found["uri"],
            nonce=found["nonce"],
            issued_at=_time(found["issued_at"]),
            expires_at=_optional_time(found["expires_at"]),
            not_before=_optional_time(found["not_before"]),
        )

    def is_for(self, site: Site, *, at: datetime) -> bool:
        """Return whether the message is for this site and valid at this time."""
        here = self.domain == site.domain and self.uri == site.uri and self.scheme in {None, site.scheme}
        fresh = at - MAX_AGE <= self.issued_at <= at + MAX_CLOCK_SKEW
        begun, over = self.not_before or at, self.expires_at
        return here and fresh and begun <= at and (over is None or at < over)


def _optional_time(text: str | None) -> datetime | None:
    return None if text is None else _time(text)


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("This time is out of range.") from None
