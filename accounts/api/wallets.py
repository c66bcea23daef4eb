"""The REST door for wallets: a nonce, and what a signature is good for."""

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
    """What a message has to carry, once, within so many seconds."""

    nonce: str
    expires_in: Count
    domain: str
    uri: UrlText
    message: NotRequired[str]
    """What the wallet is to sign, where its address was told."""


class LinkedJSON(TypedDict):
    """Oneself, with the wallet."""

    user: OwnJSON


class WalletViewSet(AuthViewSet):
    """`/auth/wallet`: for people who are not signed in, and for those who are."""

    authentication_classes = [TokenAuthentication, CookieAuthentication]

    @described("issueNonce", NonceJSON, status=201, body=NonceWish, is_public=True)
    @holds_secret
    def nonce(self, request: Request) -> Response:
        """What a message has to carry, and for a known wallet the message itself."""
        said = self.body(request, NonceWish)
        site, nonce = this_site(), issue_nonce()
        shown: NonceJSON = {"nonce": nonce, "expires_in": SECONDS, "domain": site.domain, "uri": site.uri}
        if address := said.get("address"):
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
        """Sign in with a wallet; link it for someone who is signed in."""
        said = self.body(request, WalletProof)
        if isinstance(request.auth, Session):
            return self._link(request, request.auth, said)
        wallet = proven(request, said["message"], said["signature"])
        user = self._known(request, wallet)
        self._require_code(request, user, said)
        return envelope(self._sign_in(request, user, said))

    def _link(self, request: Request, session: Session, said: dict[str, Any]) -> Response:
        # Before the nonce is used up: the same message may be shown again once the person has confirmed.
        require_confirmed(session)
        wallet = proven(request, said["message"], said["signature"])
        return envelope({"user": own_json(link_wallet(by=session.user, session=session, wallet=wallet))})

    def _known(self, request: Request, wallet: str) -> User:
        try:
            return user_of_wallet(wallet=wallet, address=request.META["REMOTE_ADDR"])
        except WalletNotProven:
            raise Unauthenticated(NO_PROOF, "bad_credentials") from None


def proven(request: Request, message: str, signature: str) -> str:
    """Find the wallet that a call was signed with; Unauthenticated if there is none."""
    try:
        return verify_wallet(message=message, signature=signature, address=request.META["REMOTE_ADDR"])
    except WalletNotProven:
        raise Unauthenticated(NO_PROOF, "bad_credentials") from None
