"""The page of one message, with a form for each action; it works without a script."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.models import User
from accounts.web.base import READ, SignedInRequest, reporting_refusals, signed_in
from messaging.messages import edit as edits
from messaging.messages.json import MessageJSON
from messaging.messages.reactions import toggle_reaction
from messaging.receipts.status import find_status
from messaging.sync.history import get_message
from messaging.sync.inbox import show_conversation
from messaging.web.contexts.header import ConversationHeader
from messaging.web.contexts.inbox import inbox_sidebar
from messaging.web.contexts.names import participant_names
from messaging.web.contexts.receipts import RecipientStatus, recipient_statuses
from messaging.web.contexts.timeline import QUICK_REACTIONS, actions_for, timeline_items
from messaging.web.forms.message import EditForm, MessageForm, ReactionForm


@signed_in(*READ)
def message(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Show one message, and the forms for its actions."""
    return _show(request, get_message(by=request.user, message_id=message_id))


@signed_in("POST")
def react(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Add a reaction, or remove it if the person has it already."""
    form = ReactionForm(request.POST)
    if not form.is_valid():
        return _show(request, get_message(by=request.user, message_id=message_id), reaction=form)
    with reporting_refusals(request):
        toggle_reaction(by=request.user, message_id=message_id, emoji=form.cleaned_data["emoji"])
    if request.POST.get("then") == "conversation":
        return _redirect_to_message(get_message(by=request.user, message_id=message_id))
    return redirect("message", message_id)


@signed_in("POST")
def reply(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Reply to a message in its conversation."""
    answered = get_message(by=request.user, message_id=message_id)
    form = MessageForm(request.POST)
    if not form.is_valid():
        return _show(request, answered, reply=form)
    conversation_id = UUID(answered["conversation_id"])
    sent = form.send(by=request.user, conversation_id=conversation_id, reply_to_id=message_id)
    return _redirect_to_message(sent) if sent else _show(request, answered, reply=form)


@signed_in("POST")
def edit(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Change the text of one's own message."""
    known = get_message(by=request.user, message_id=message_id)
    form = EditForm(request.POST, message=known)
    return _redirect_to_message(form.result) if form.carry_out(by=request.user) else _show(request, known, edit=form)


@signed_in("POST")
def delete(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Delete a message; a tombstone stays."""
    known = get_message(by=request.user, message_id=message_id)
    with reporting_refusals(request, "The message is deleted."):
        edits.delete_message(by=request.user, message_id=message_id)
    return _redirect_to_message(known)


def _redirect_to_message(known: MessageJSON) -> HttpResponseRedirect:
    """Redirect to a message in its conversation."""
    return HttpResponseRedirect(f"{reverse('conversation', args=[known['conversation_id']])}#m-{known['id']}")


def _show(request: SignedInRequest, known: MessageJSON, **forms: Any) -> HttpResponse:
    viewer = request.user
    shown = show_conversation(by=viewer, conversation_id=UUID(known["conversation_id"]))
    context = {
        "inbox": inbox_sidebar(by=viewer, open_id=shown["id"]),
        "header": ConversationHeader.of(shown, viewer=viewer),
        "item": timeline_items([known], conversation=shown, viewer=viewer)[0],
        "actions": actions_for(known, conversation=shown, viewer=viewer),
        "statuses": _statuses(viewer, known, shown),
        "quick_reactions": QUICK_REACTIONS,
        **_forms(known, forms),
    }
    return render(request, "messaging/message.html", context, status=400 if forms else 200)


def _statuses(viewer: User, known: MessageJSON, conversation: Mapping[str, Any]) -> list[RecipientStatus]:
    """Return who has received and read the viewer's own message; empty for other messages."""
    if known["sender_id"] != str(viewer.pk) or known["deleted_at"] or known["kind"] == "notice":
        return []
    found = find_status(by=viewer, message_id=UUID(known["id"]))
    return recipient_statuses(found, names=participant_names(conversation))


def _forms(known: MessageJSON, filled: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page's forms: new ones, except for the one that had errors."""
    return {
        "reply_form": filled.get("reply") or MessageForm(),
        "edit_form": filled.get("edit") or EditForm(message=known),
        "reaction_form": filled.get("reaction") or ReactionForm(),
    }
