"""The REST door to oneself and to others: profiles, search, blocks, contacts and invitations."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedIn
from accounts.api.serializers import Closing, NewInvitation, ProfileChange
from accounts.api.wallets import proven
from accounts.auth.known_devices import devices_of
from accounts.auth.linked_wallet import unlink_wallet
from accounts.auth.passwords import check_password
from accounts.auth.tokens import Unauthenticated
from accounts.people import contact_lists
from accounts.people.contact_lists import KnownJSON
from accounts.people.profiles import InvitationJSON, OwnJSON, PersonJSON, invitation_json, own_json, people_json
from accounts.people.references import find_user
from chatproject.core import rate_limits
from chatproject.core.errors import Invalid
from chatproject.core.rate_limits import quotas
from chatproject.rest.describe import described
from chatproject.rest.views import API, envelope, envelope_page, limit_of, path_id
from conversations.contacts import account_closure, blocks, invitations, profile, search


class MeViewSet(API):
    """`/users/me`."""

    @described("getMe", OwnJSON, has_etag=True)
    def retrieve(self, request: SignedIn) -> Response:
        """Show oneself."""
        return envelope(own_json(request.user))

    @described("updateMe", OwnJSON, body=ProfileChange, errors="409 422")
    def update(self, request: SignedIn) -> Response:
        """Change what is said of oneself, and what others may do."""
        return envelope(own_json(profile.update_me(by=request.user, **self.body(request, ProfileChange))))

    @described("closeAccount", body=Closing)
    def close(self, request: SignedIn) -> Response:
        """Close one's account for good."""
        said = self.body(request, Closing)
        if "password" not in said:
            is_oneself = proven(request, said["message"], said["signature"]) == request.user.wallet_address
        else:
            here = {"address": request.META["REMOTE_ADDR"], "devices": devices_of(request, session=request.auth)}
            found = check_password(username=request.user.username, password=said["password"], **here)
            is_oneself = found is not None
        if not is_oneself:
            raise Unauthenticated("This does not show that it is you.", "bad_credentials")
        account_closure.close_account(by=request.user)
        return Response(status=204)

    @described("unlinkWallet", errors="409")
    def unlink_wallet(self, request: SignedIn) -> Response:
        """Let the wallet open the account no more."""
        unlink_wallet(by=request.user, session=request.auth)
        return Response(status=204)


class PeopleViewSet(API):
    """`/users`."""

    def cost_of(self, request: Request, limit: rate_limits.Limit) -> int:
        """A search reads far more than what else is asked about people."""
        return quotas.SEARCH_COST if self.action == "list" else super().cost_of(request, limit)

    @described("searchPeople", PersonJSON, pagination="cursor", query="search for limit cursor")
    def list(self, request: SignedIn) -> Response:
        """Find people by the beginning of a name."""
        text, act = _sought(request), _act(request)
        return envelope_page(search.search_people(by=request.user, text=text, act=act, **_page_of(request)))

    @described("getUser", PersonJSON, has_etag=True)
    def retrieve(self, request: SignedIn, pk: str) -> Response:
        """One person."""
        user = search.find_person(by=request.user, id=path_id(pk))
        return envelope(people_json([user], viewer=request.user)[0])

    @described("listBlocked", KnownJSON, pagination="cursor", query="limit cursor")
    def blocked(self, request: SignedIn) -> Response:
        """Whom I have blocked."""
        return envelope_page(contact_lists.list_blocked(by=request.user, **_page_of(request)))

    @described("block", errors="422")
    def block(self, request: SignedIn, pk: str) -> Response:
        """Have nothing to do with someone."""
        blocks.block(by=request.user, other=find_user({"id": path_id(pk)}, by=request.user))
        return Response(status=204)

    @described("unblock")
    def unblock(self, request: SignedIn, pk: str) -> Response:
        """Take that back."""
        blocks.unblock(by=request.user, other_id=path_id(pk))
        return Response(status=204)


class ContactViewSet(API):
    """`/contacts`."""

    @described("listContacts", KnownJSON, pagination="cursor", query="limit cursor")
    def list(self, request: SignedIn) -> Response:
        """My contacts."""
        return envelope_page(contact_lists.list_contacts(by=request.user, **_page_of(request)))

    @described("removeContact")
    def destroy(self, request: SignedIn, pk: str) -> Response:
        """Be someone's contact no more."""
        invitations.remove_contact(by=request.user, other_id=path_id(pk))
        return Response(status=204)


class InvitationViewSet(API):
    """`/contacts/invitations`."""

    @described("listInvitations", InvitationJSON, pagination="cursor", query="limit cursor")
    def list(self, request: SignedIn) -> Response:
        """What I have sent and received, and what is still open."""
        return envelope_page(contact_lists.list_invitations(by=request.user, **_page_of(request)))

    @described("invite", InvitationJSON, status=201, also=200, body=NewInvitation, errors="404 409 422")
    def create(self, request: SignedIn) -> Response:
        """Ask someone to be a contact; 200 if that was asked before, by either side."""
        to = find_user(self.body(request, NewInvitation)["to"], by=request.user)
        invitation, is_new = invitations.invite(by=request.user, to=to)
        return envelope(invitation_json(invitation), 201 if is_new else 200)

    @described("acceptInvitation", InvitationJSON, errors="409")
    def accept(self, request: SignedIn, pk: str) -> Response:
        """Say yes."""
        return envelope(invitation_json(invitations.accept_invitation(by=request.user, invitation_id=path_id(pk))))

    @described("declineInvitation", InvitationJSON, errors="409")
    def decline(self, request: SignedIn, pk: str) -> Response:
        """Say no."""
        return envelope(invitation_json(invitations.decline_invitation(by=request.user, invitation_id=path_id(pk))))


def _sought(request: Request) -> str:
    """Read what to search for: two letters at least."""
    text = request.query_params.get("search", "").strip()
    if len(text) < search.MIN_SEARCH_LENGTH:
        raise Invalid(f"Give {search.MIN_SEARCH_LENGTH} letters at least.", pointer="/search")
    if "\0" in text:
        raise Invalid("NUL is no letter.", pointer="/search")
    return text


def _act(request: Request) -> str | None:
    """Read what people are looked for."""
    act = request.query_params.get("for")
    if act is not None and act not in search.ACTS:
        raise Invalid(f"This is {' or '.join(search.ACTS)}.", pointer="/for")
    return act


def _page_of(request: Request) -> dict[str, Any]:
    return {"limit": limit_of(request), "cursor": request.query_params.get("cursor")}
