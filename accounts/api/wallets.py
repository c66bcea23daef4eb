"""REST routes for wallets: issuing a nonce, signing in with a signature, linking a wallet."""

from typing import Any, NotRequired, TypedDict

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.auth import AuthViewSet, SignedInJSON
from accounts.api.serializers import NonceWish, WalletProof
from accounts.auth.confirmation import require_confirmed
from accounts.auth.linked_wallet import link_wallet
from accounts.auth.tokens import CookieAuthentication, TokenAuthentication, Unauthenticated
from accounts.models import Session, User
from accounts.people.profiles import OwnJSON, own_json
from accounts.wallets.nonces import SECONDS, issue_nonce
from accounts.wallets.sign_in import WalletNotProven, this_site, user_of_wallet, verify_wallet
from accounts.wallets.siwe import message_for
from chatproject.core.json_types import Count, UrlText
from chatproject.rest.describe import described
from chatproject.rest.views import envelope
from chatproject.server.compression import holds_secret

NO_PROOF = "This is no fresh message of this site, signed by a wallet that lets someone in."


class NonceJSON(TypedDict):
    """What a message has to contain; the nonce works once, within `expires_in` seconds."""

    nonce: str
    expires_in: Count
    domain: str
    uri: UrlText
    message: NotRequired[str]
    """The message that the wallet has to sign, if the request named its address."""


class LinkedJSON(TypedDict):
    """The signed-in person, with the linked wallet."""

    user: OwnJSON


class WalletViewSet(AuthViewSet):
    """`/auth/wallet`, with or without a session."""

    authentication_classes = [TokenAuthentication, CookieAuthentication]

    @described("issueNonce", NonceJSON, status=201, body=NonceWish, is_public=True)
    @holds_secret
    def nonce(self, request: Request) -> Response:
        """Issue a nonce for a message, and the whole message if the wallet's address is given."""
        body = self.body(request, NonceWish)
        site, nonce = this_site(), issue_nonce()
        shown: NonceJSON = {"nonce": nonce, "expires_in": SECONDS, "domain": site.domain, "uri": site.uri}
        if address := body.get("address"):
            shown["message"] = message_for(site, address=address, nonce=nonce, at=timezone.now())
        return envelope(shown, 201)

    @described(
        "signInWithWallet",
        SignedInJSON | LinkedJSON,
        body=WalletProof,
        errors="409",
        is_public=True,
        reads_session=True,
    )
    @holds_secret
    def enter(self, request: Request) -> Response:
        """Sign in with a wallet, or link it to your account if you are signed in."""
        body = self.body(request, WalletProof)
        if isinstance(request.auth, Session):
            return self._link(request, request.auth, body)
        wallet = verified_wallet(request, body["message"], body["signature"])
        user = self._user_of(request, wallet)
        self._require_code(request, user, body)
        return envelope(self._sign_in(request, user, body))

    def _link(self, request: Request, session: Session, body: dict[str, Any]) -> Response:
        # This comes before the nonce is used up: the same message may be sent again after the confirmation.
        require_confirmed(session)
        wallet = verified_wallet(request, body["message"], body["signature"])
        return envelope({"user": own_json(link_wallet(by=session.user, session=session, wallet=wallet))})

    def _user_of(self, request: Request, wallet: str) -> User:
        try:
            return user_of_wallet(wallet=wallet, address=request.META["REMOTE_ADDR"])
        except WalletNotProven:
            raise Unauthenticated(NO_PROOF, "bad_credentials") from None


def verified_wallet(request: Request, message: str, signature: str) -> str:
    """Return the wallet that has signed the message. Raises Unauthenticated if it is not valid."""
    try:
        return verify_wallet(message=message, signature=signature, address=request.META["REMOTE_ADDR"])
    except WalletNotProven:
        raise Unauthenticated(NO_PROOF, "bad_credentials") from None
