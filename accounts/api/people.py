"""REST routes for profiles, people search, blocks, contacts and invitations."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedIn
from accounts.api.serializers import Closing, NewInvitation, ProfileChange
from accounts.api.wallets import verified_wallet
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
        """Show your own profile and settings."""
        return envelope(own_json(request.user))

    @described("updateMe", OwnJSON, body=ProfileChange, errors="409 422")
    def update(self, request: SignedIn) -> Response:
        """Change your own profile and settings."""
        return envelope(own_json(profile.update_me(by=request.user, **self.body(request, ProfileChange))))

    @described("closeAccount", body=Closing)
    def close(self, request: SignedIn) -> Response:
        """Close your account permanently."""
        body = self.body(request, Closing)
        if "password" not in body:
            is_oneself = verified_wallet(request, body["message"], body["signature"]) == request.user.wallet_address
        else:
            here = {"address": request.META["REMOTE_ADDR"], "devices": devices_of(request, session=request.auth)}
            found = check_password(username=request.user.username, password=body["password"], **here)
            is_oneself = found is not None
        if not is_oneself:
            raise Unauthenticated("This does not show that it is you.", "bad_credentials")
        account_closure.close_account(by=request.user)
        return Response(status=204)

    @described("unlinkWallet", errors="409")
    def unlink_wallet(self, request: SignedIn) -> Response:
        """Unlink the wallet from your account."""
        unlink_wallet(by=request.user, session=request.auth)
        return Response(status=204)


class PeopleViewSet(API):
    """`/users`."""

    def cost_of(self, request: Request, limit: rate_limits.Limit) -> int:
        """Return the cost of a call: a search reads far more than other calls about people."""
        return quotas.SEARCH_COST if self.action == "list" else super().cost_of(request, limit)

    @described("searchPeople", PersonJSON, pagination="cursor", query="search for limit cursor")
    def list(self, request: SignedIn) -> Response:
        """Find people by the beginning of a name."""
        text, act = _search_text(request), _purpose(request)
        return envelope_page(search.search_people(by=request.user, text=text, act=act, **_page_of(request)))

    @described("getUser", PersonJSON, has_etag=True)
    def retrieve(self, request: SignedIn, pk: str) -> Response:
        """Show a person."""
        user = search.find_person(by=request.user, id=path_id(pk))
        return envelope(people_json([user], viewer=request.user)[0])

    @described("listBlocked", KnownJSON, pagination="cursor", query="limit cursor")
    def blocked(self, request: SignedIn) -> Response:
        """List the people you have blocked."""
        return envelope_page(contact_lists.list_blocked(by=request.user, **_page_of(request)))

    @described("block", errors="422")
    def block(self, request: SignedIn, pk: str) -> Response:
        """Block someone."""
        blocks.block(by=request.user, other=find_user({"id": path_id(pk)}, by=request.user))
        return Response(status=204)

    @described("unblock")
    def unblock(self, request: SignedIn, pk: str) -> Response:
        """Unblock someone."""
        blocks.unblock(by=request.user, other_id=path_id(pk))
        return Response(status=204)


class ContactViewSet(API):
    """`/contacts`."""

    @described("listContacts", KnownJSON, pagination="cursor", query="limit cursor")
    def list(self, request: SignedIn) -> Response:
        """List your contacts."""
        return envelope_page(contact_lists.list_contacts(by=request.user, **_page_of(request)))

    @described("removeContact")
    def destroy(self, request: SignedIn, pk: str) -> Response:
        """Remove someone from your contacts."""
        invitations.remove_contact(by=request.user, other_id=path_id(pk))
        return Response(status=204)


class InvitationViewSet(API):
    """`/contacts/invitations`."""

    @described("listInvitations", InvitationJSON, pagination="cursor", query="limit cursor")
    def list(self, request: SignedIn) -> Response:
        """List the open invitations that you have sent and received."""
        return envelope_page(contact_lists.list_invitations(by=request.user, **_page_of(request)))

    @described("invite", InvitationJSON, status=201, also=200, body=NewInvitation, errors="404 409 422")
    def create(self, request: SignedIn) -> Response:
        """Invite someone to be a contact; 200 if either side has invited the other before."""
        to = find_user(self.body(request, NewInvitation)["to"], by=request.user)
        invitation, is_new = invitations.invite(by=request.user, to=to)
        return envelope(invitation_json(invitation), 201 if is_new else 200)

    @described("acceptInvitation", InvitationJSON, errors="409")
    def accept(self, request: SignedIn, pk: str) -> Response:
        """Accept an invitation."""
        return envelope(invitation_json(invitations.accept_invitation(by=request.user, invitation_id=path_id(pk))))

    @described("declineInvitation", InvitationJSON, errors="409")
    def decline(self, request: SignedIn, pk: str) -> Response:
        """Decline an invitation."""
        return envelope(invitation_json(invitations.decline_invitation(by=request.user, invitation_id=path_id(pk))))


def _search_text(request: Request) -> str:
    """Return the text to search for, of two letters at least."""
    text = request.query_params.get("search", "").strip()
    if len(text) < search.MIN_SEARCH_LENGTH:
        raise Invalid(f"Give {search.MIN_SEARCH_LENGTH} letters at least.", pointer="/search")
    if "\0" in text:
        raise Invalid("NUL is not allowed.", pointer="/search")
    return text


def _purpose(request: Request) -> str | None:
    """Return what people are searched for: to write to them or to add them; None if it is not given."""
    act = request.query_params.get("for")
    if act is not None and act not in search.ACTS:
        raise Invalid(f"This is {' or '.join(search.ACTS)}.", pointer="/for")
    return act


def _page_of(request: Request) -> dict[str, Any]:
    return {"limit": limit_of(request), "cursor": request.query_params.get("cursor")}
