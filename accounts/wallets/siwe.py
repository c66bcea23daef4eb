"""Sign-In with Ethereum: the text that a wallet signs (EIP-4361), read to the letter of its grammar."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accounts.wallets.ethereum import checksummed

OLD, AHEAD = timedelta(minutes=10), timedelta(minutes=2)
"""How long ago a message may have been issued, and how far ahead of us the clock of a wallet may be."""

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
    """Where people sign in: what a message must name."""

    scheme: str
    domain: str

    @classmethod
    def of(cls, origin: str) -> "Site":
        """Read the origin of a site, as browsers write it."""
        scheme, _, domain = origin.partition("://")
        return cls(scheme, domain)

    @property
    def uri(self) -> str:
        return f"{self.scheme}://{self.domain}"


def message_for(site: Site, *, address: str, nonce: str, at: datetime) -> str:
    """Write what the wallet with this address is to sign; ValueError if that is no address."""
    return (
        f"{site.domain} wants you to sign in with your Ethereum account:\n{checksummed(address)}\n\n{STATEMENT}\n\n"
        f"URI: {site.uri}\nVersion: 1\nChain ID: 1\nNonce: {nonce}\nIssued At: {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    )


@dataclass(frozen=True, slots=True)
class SignInMessage:
    """What such a message says, as far as it matters to us."""

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
        """Read a message; ValueError for anything that the grammar does not know."""
        found = MESSAGE.fullmatch(text)
        if found is None or checksummed(found["address"]) != found["address"]:
            raise ValueError("This is no message of EIP-4361.")
        return cls(
            scheme=found["scheme"],
            domain=found["domain"],
            address=found["address"],
            uri=found["uri"],
            nonce=found["nonce"],
            issued_at=_at(found["issued_at"]),
            expires_at=_moment(found["expires_at"]),
            not_before=_moment(found["not_before"]),
        )

    def is_for(self, site: Site, *, at: datetime) -> bool:
        """Tell whether it was meant for this site, and counts at this moment."""
        here = self.domain == site.domain and self.uri == site.uri and self.scheme in {None, site.scheme}
        fresh = at - OLD <= self.issued_at <= at + AHEAD
        begun, over = self.not_before or at, self.expires_at
        return here and fresh and begun <= at and (over is None or at < over)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else _at(text)


def _at(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("No calendar knows this time.") from None
