"""Pages about other people: contacts, invitations, and the page of each person."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.models import ContactInvitation, User
from accounts.people.contact_lists import list_contacts, list_invitations
from accounts.people.profiles import people_json
from accounts.people.references import find_user
from accounts.people.relationships import relation_to
from accounts.web.base import READ, WRITE, SignedInRequest, form_data, reporting_refusals, show_form, signed_in
from accounts.web.people_forms import InviteForm
from accounts.web.person_view import Person
from chatproject.core.pagination import PAGE_SIZE_MAX
from conversations.contacts import blocks, invitations, search


@signed_in(*WRITE)
def contacts(request: SignedInRequest) -> HttpResponse:
    """Show the contacts and open invitations, and invite someone."""
    form = InviteForm(form_data(request))
    if form.carry_out(by=request.user):
        _report_invitation(request, *form.result)
        return redirect("contacts")
    page = list_contacts(by=request.user, cursor=request.GET.get("cursor"))
    context = {
        "contacts": [Person.of(each["user"]) for each in page.items],
        "next": page.next,
        "offered": [Person.of(each) for each in form.offered],
        **_open_invitations(request.user),
    }
    return show_form(request, "people/contacts.html", form, **context)


def _open_invitations(me: User) -> dict[str, list[tuple[str, Person]]]:
    """Return the open invitations, with the other person of each."""
    found = list_invitations(by=me, limit=PAGE_SIZE_MAX).items
    received = [each for each in found if each["receiver"]["id"] == str(me.pk)]
    sent_by_me = [each for each in found if each["sender"]["id"] == str(me.pk)]
    return {
        "received": [(each["id"], Person.of(each["sender"])) for each in received],
        "waiting": [(each["id"], Person.of(each["receiver"])) for each in sent_by_me],
    }


def _report_invitation(request: HttpRequest, invitation: ContactInvitation, is_new: bool) -> None:
    if invitation.accepted:
        messages.success(request, f"You and {invitation.sender.name} are contacts now.")
    elif is_new:
        messages.success(request, f"Your invitation is with {invitation.receiver.name}.")
    else:
        messages.info(request, f"You have invited {invitation.receiver.name} before; there is no answer yet.")


@signed_in("POST")
def accept(request: SignedInRequest, invitation_id: UUID) -> HttpResponse:
    """Accept an invitation."""
    with reporting_refusals(request, "You are contacts now."):
        invitations.accept_invitation(by=request.user, invitation_id=invitation_id)
    return redirect("contacts")


@signed_in("POST")
def decline(request: SignedInRequest, invitation_id: UUID) -> HttpResponse:
    """Decline an invitation."""
    with reporting_refusals(request, "The invitation is declined."):
        invitations.decline_invitation(by=request.user, invitation_id=invitation_id)
    return redirect("contacts")


@signed_in("POST")
def remove(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """Remove a contact."""
    with reporting_refusals(request, "You are no contacts any more."):
        invitations.remove_contact(by=request.user, other_id=user_id)
    return redirect("contacts")


@signed_in(*READ)
def person(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """Show a person, with the actions about them."""
    other = search.find_person(by=request.user, id=user_id)
    shown = people_json([other], viewer=request.user)[0]
    context = {
        "face": Person.of(shown),
        "person": shown,
        "relation": relation_to(by=request.user, other=other),
        "other": other,
    }
    return render(request, "people/person.html", context)


@signed_in("POST")
def invite(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """Invite someone to be a contact."""
    with reporting_refusals(request):
        _report_invitation(
            request, *invitations.invite(by=request.user, to=find_user({"id": user_id}, by=request.user))
        )
    return redirect("person", user_id)


@signed_in("POST")
def block(request: SignedInRequest, user_id: UUID) -> HttpResponse:
    """Block someone."""
    other = find_user({"id": user_id}, by=request.user)
    with reporting_refusals(request, f"{other.name} is blocked."):
        blocks.block(by=request.user, other=other)
    return redirect("person", user_id)


@signed_in("POST")
def unblock(request: SignedInRequest, user_id: UUID, then: str = "") -> HttpResponse:
    """Unblock someone."""
    with reporting_refusals(request, "They are not blocked any more."):
        blocks.unblock(by=request.user, other_id=user_id)
    return redirect(then) if then else redirect("person", user_id)
