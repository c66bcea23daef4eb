"""The page about a conversation: who is in, what it is called, and what I want of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.web.base import READ, SignedInRequest, signed_in, told
from accounts.web.faces import Person
from accounts.web.forms import CommandForm
from chatproject.core.errors import Refused
from chatproject.server.compression import holds_secret
from conversations import groups, invite_links
from messaging.web.group_forms import AddForm, DetailsForm, LinkForm, OfConversation, PlaceForm, TransferForm
from messaging.web.inbox_context import inbox_beside
from messaging.web.info_context import Info, info_of


@signed_in(*READ)
def info(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Show all there is to know and to set about a conversation."""
    return _show(request, conversation_id)


@signed_in("POST")
def details(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Change a group's name, description and history."""
    form = DetailsForm(request.POST, conversation_id=conversation_id)
    return _carry_out(request, form, "details_form", "The changes are saved.")


@signed_in("POST")
def add(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Add people to a group."""
    return _carry_out(request, AddForm(request.POST, conversation_id=conversation_id), "add_form", "They are in.")


@signed_in("POST")
def hand_over(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Make someone else the owner of a group."""
    form = TransferForm(
        request.POST, conversation_id=conversation_id, members=info_of(request.user, conversation_id).heirs
    )
    return _carry_out(request, form, "transfer_form", "The group is handed over.")


@holds_secret
@signed_in("POST")
def make_link(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Make an invitation link, and show it this once."""
    form = LinkForm(request.POST, conversation_id=conversation_id)
    if not form.carry_out(by=request.user):
        return _show(request, conversation_id, link_form=form)
    return _show(request, conversation_id, new_link=form.result)


@signed_in("POST")
def revoke_link(request: SignedInRequest, conversation_id: UUID, link_id: UUID) -> HttpResponse:
    """Let an invitation link lead nowhere."""
    with told(request, "The link is revoked."):
        invite_links.revoke_link(by=request.user, conversation_id=conversation_id, link_id=link_id)
    return redirect("conversation_info", conversation_id)


@signed_in("POST")
def place(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Set what I want of a conversation: notifications, silence, a pin, the archive."""
    form = PlaceForm(request.POST, conversation_id=conversation_id)
    if not form.carry_out(by=request.user):
        messages.error(request, "That did not make sense.")
    return redirect("conversation_info", conversation_id)


@signed_in("POST")
def role(request: SignedInRequest, conversation_id: UUID, user_id: UUID) -> HttpResponse:
    """Make someone an admin, or a member again."""
    with told(request):
        groups.set_role(
            by=request.user, conversation_id=conversation_id, user_id=user_id, role=request.POST.get("role", "")
        )
    return redirect("conversation_info", conversation_id)


@signed_in("POST")
def remove(request: SignedInRequest, conversation_id: UUID, user_id: UUID) -> HttpResponse:
    """Put someone out of a group."""
    with told(request):
        groups.remove_member(by=request.user, conversation_id=conversation_id, user_id=user_id)
    return redirect("conversation_info", conversation_id)


@signed_in("POST")
def leave(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Leave a group."""
    return _go(request, conversation_id, groups.leave, "You have left the group.")


@signed_in("POST")
def delete(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Delete a group with all that was said in it."""
    return _go(request, conversation_id, groups.delete_group, "The group is deleted.")


def _go(request: SignedInRequest, conversation_id: UUID, act: Callable[..., None], done: str) -> HttpResponse:
    """Be out of a group afterwards, unless it was refused."""
    try:
        act(by=request.user, conversation_id=conversation_id)
    except Refused as refusal:
        messages.error(request, refusal.detail)
        return redirect("conversation_info", conversation_id)
    messages.success(request, done)
    return redirect("inbox")


def _carry_out(request: SignedInRequest, form: OfConversation, name: str, done: str) -> HttpResponse:
    """Do what a form asks for and come back, or show what was wrong in it."""
    if not form.carry_out(by=request.user):
        return _show(request, form.conversation_id, **{name: form})
    messages.success(request, done)
    return redirect("conversation_info", form.conversation_id)


def _show(request: SignedInRequest, conversation_id: UUID, **filled: Any) -> HttpResponse:
    known = info_of(request.user, conversation_id)
    _tell_of_hidden(request, known, filled)
    forms: dict[str, CommandForm] = {
        "details_form": DetailsForm(conversation_id=conversation_id, initial=known.details),
        "add_form": AddForm(conversation_id=conversation_id),
        "link_form": LinkForm(conversation_id=conversation_id),
        "transfer_form": TransferForm(conversation_id=conversation_id, members=known.heirs),
    }
    context = {"inbox": inbox_beside(by=request.user, open_id=str(conversation_id)), "info": known, **forms, **filled}
    context["add_offered"] = [Person.of(each) for each in context["add_form"].offered]
    status = max((form.status for name, form in filled.items() if name in forms), default=200)
    return render(request, "conversations/info.html", context, status=status)


def _tell_of_hidden(request: SignedInRequest, known: Info, filled: dict[str, Any]) -> None:
    """Say above the page why a form was refused that it does not show: its sender has lost the rank for it."""
    for name, form in filled.items():
        is_shown = known.is_owner if name == "transfer_form" else known.is_admin
        for reason in () if is_shown else form.non_field_errors():
            messages.error(request, reason)
