"""A wallet as people have it: a key, and the messages of EIP-4361 that it signs. Another library's signatures."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from eth_account import Account
from eth_account.messages import encode_defunct

from accounts.auth.confirmation import record_confirmation
from accounts.auth.linked_wallet import link_wallet
from accounts.auth.sessions import active_sessions, start_session
from accounts.models import User
from chatproject.core.realtime import timestamp


def moment(**ago: int) -> str:
    """A time that lies so far back."""
    return timestamp(timezone.now() - timedelta(**ago))


class Wallet:
    """Someone's key; each number is another one."""

    def __init__(self, number: int = 1) -> None:
        self._key = Account.from_key(number.to_bytes(32, "big"))
        self.address: str = self._key.address

    def sign(self, text: str) -> str:
        return "0x" + self._key.sign_message(encode_defunct(text=text)).signature.hex().removeprefix("0x")

    def message(self, asked: dict[str, Any], *, at: datetime | None = None, more: str = "", **other: str) -> str:
        """The message for what the server has asked for, with some fields written otherwise, and lines below."""
        issued = timestamp(at or timezone.now())
        said = {**asked, "head": "", "address": self.address, "version": "1", "chain": "1", "issued": issued} | other
        return (
            "{head}{domain} wants you to sign in with your Ethereum account:\n{address}\n\nSign in to Parley.\n\n"
            "URI: {uri}\nVersion: {version}\nChain ID: {chain}\nNonce: {nonce}\nIssued At: {issued}"
        ).format_map(said) + more

    def proof(self, asked: dict[str, Any], **other: Any) -> dict[str, str]:
        message = self.message(asked, **other)
        return {"message": message, "signature": self.sign(message)}


def give_wallet(user: User, wallet: Wallet | None = None) -> User:
    """Link a wallet to a person, who has confirmed on some device that it is them."""
    session = start_session(user=user)
    record_confirmation(session=session)
    return link_wallet(by=user, session=session, wallet=(wallet or Wallet()).address)


def confirmed(user: User) -> None:
    """Let a person have confirmed, wherever they are signed in, that it is them."""
    for session in active_sessions(user):
        record_confirmation(session=session)
