"""The page about a conversation: its members, its details, and the viewer's own settings for it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.web.base import READ, SignedInRequest, reporting_refusals, signed_in
from accounts.web.base_forms import CommandForm
from accounts.web.person_view import Person
from chatproject.core.errors import Refused
from chatproject.server.compression import holds_secret
from conversations import groups, invite_links
from messaging.web.contexts.conversation_info import ConversationInfo, conversation_info
from messaging.web.contexts.inbox import inbox_sidebar
from messaging.web.forms.conversation_info import (
    AddMembersForm,
    ConversationForm,
    DetailsForm,
    InviteLinkForm,
    PersonalSettingsForm,
    TransferForm,
)


@signed_in(*READ)
def info(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Show a conversation's details, members and settings."""
    return _show(request, conversation_id)


@signed_in("POST")
def details(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Change a group's name, description and history."""
    form = DetailsForm(request.POST, conversation_id=conversation_id)
    return _carry_out(request, form, "details_form", "The changes are saved.")


@signed_in("POST")
def add(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Add people to a group."""
    return _carry_out(
        request, AddMembersForm(request.POST, conversation_id=conversation_id), "add_form", "They are in."
    )


@signed_in("POST")
def transfer(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Make another member the owner of a group."""
    successors = conversation_info(request.user, conversation_id).successors
    form = TransferForm(request.POST, conversation_id=conversation_id, members=successors)
    return _carry_out(request, form, "transfer_form", "The group is handed over.")


@holds_secret
@signed_in("POST")
def make_link(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Make an invitation link, and show it this once."""
    form = InviteLinkForm(request.POST, conversation_id=conversation_id)
    if not form.carry_out(by=request.user):
        return _show(request, conversation_id, link_form=form)
    return _show(request, conversation_id, new_link=form.result)


@signed_in("POST")
def revoke_link(request: SignedInRequest, conversation_id: UUID, link_id: UUID) -> HttpResponse:
    """Revoke an invitation link."""
    with reporting_refusals(request, "The link is revoked."):
        invite_links.revoke_link(by=request.user, conversation_id=conversation_id, link_id=link_id)
    return redirect("conversation_info", conversation_id)


@signed_in("POST")
def personal_settings(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Change the viewer's own settings for a conversation: notifications, mute, pin, archive."""
    form = PersonalSettingsForm(request.POST, conversation_id=conversation_id)
    if not form.carry_out(by=request.user):
        messages.error(request, "That did not make sense.")
    return redirect("conversation_info", conversation_id)


@signed_in("POST")
def role(request: SignedInRequest, conversation_id: UUID, user_id: UUID) -> HttpResponse:
    """Make a member an admin, or an admin a member."""
    with reporting_refusals(request):
        groups.set_role(
            by=request.user, conversation_id=conversation_id, user_id=user_id, role=request.POST.get("role", "")
        )
    return redirect("conversation_info", conversation_id)


@signed_in("POST")
def remove(request: SignedInRequest, conversation_id: UUID, user_id: UUID) -> HttpResponse:
    """Remove a member from a group."""
    with reporting_refusals(request):
        groups.remove_member(by=request.user, conversation_id=conversation_id, user_id=user_id)
    return redirect("conversation_info", conversation_id)


@signed_in("POST")
def leave(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Leave a group."""
    return _go_to_inbox(request, conversation_id, groups.leave, "You have left the group.")


@signed_in("POST")
def delete(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Delete a group with all its messages."""
    return _go_to_inbox(request, conversation_id, groups.delete_group, "The group is deleted.")


def _go_to_inbox(
    request: SignedInRequest, conversation_id: UUID, command: Callable[..., None], done: str
) -> HttpResponse:
    """Run a command after which the person is no longer a member, and go to the inbox unless it is refused."""
    try:
        command(by=request.user, conversation_id=conversation_id)
    except Refused as refusal:
        messages.error(request, refusal.detail)
        return redirect("conversation_info", conversation_id)
    messages.success(request, done)
    return redirect("inbox")


def _carry_out(request: SignedInRequest, form: ConversationForm, name: str, done: str) -> HttpResponse:
    """Run a form's command and come back to the page, or show the form with its errors."""
    if not form.carry_out(by=request.user):
        return _show(request, form.conversation_id, **{name: form})
    messages.success(request, done)
    return redirect("conversation_info", form.conversation_id)


def _show(request: SignedInRequest, conversation_id: UUID, **filled: Any) -> HttpResponse:
    info = conversation_info(request.user, conversation_id)
    _report_hidden_errors(request, info, filled)
    forms: dict[str, CommandForm] = {
        "details_form": DetailsForm(conversation_id=conversation_id, initial=info.details),
        "add_form": AddMembersForm(conversation_id=conversation_id),
        "link_form": InviteLinkForm(conversation_id=conversation_id),
        "transfer_form": TransferForm(conversation_id=conversation_id, members=info.successors),
    }
    context = {"inbox": inbox_sidebar(by=request.user, open_id=str(conversation_id)), "info": info, **forms, **filled}
    context["add_offered"] = [Person.of(each) for each in context["add_form"].offered]
    status = max((form.status for name, form in filled.items() if name in forms), default=200)
    return render(request, "conversations/info.html", context, status=status)


def _report_hidden_errors(request: SignedInRequest, info: ConversationInfo, filled: dict[str, Any]) -> None:
    """Show the errors of a form above the page if the page no longer has the form: the person has lost their role."""
    for name, form in filled.items():
        is_shown = info.is_owner if name == "transfer_form" else info.is_admin
        for reason in () if is_shown else form.non_field_errors():
            messages.error(request, reason)
