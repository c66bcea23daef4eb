"""One message and what may be done with it, as a page that needs no script."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.models import User
from accounts.web.base import READ, SignedInRequest, signed_in, told
from messaging.messages import edit as edits
from messaging.messages.json import MessageJSON
from messaging.messages.reactions import toggle_reaction
from messaging.receipts.status import find_status
from messaging.sync.history import get_message
from messaging.sync.inbox import show_conversation
from messaging.web.forms import EditForm, MessageForm, ReactionForm
from messaging.web.inbox_context import Head, inbox_beside, names_in
from messaging.web.receipts_context import Standing, standings_of
from messaging.web.timeline_context import QUICK, acts_on, lines_of


@signed_in(*READ)
def message(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Show one message, and forms for what may be done with it."""
    return _show(request, get_message(by=request.user, message_id=message_id))


@signed_in("POST")
def react(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """React with an emoji, or take it back if it stands there already."""
    form = ReactionForm(request.POST)
    if not form.is_valid():
        return _show(request, get_message(by=request.user, message_id=message_id), reaction=form)
    with told(request):
        toggle_reaction(by=request.user, message_id=message_id, emoji=form.cleaned_data["emoji"])
    if request.POST.get("then") == "conversation":
        return _to_line(get_message(by=request.user, message_id=message_id))
    return redirect("message", message_id)


@signed_in("POST")
def reply(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Answer a message in its conversation."""
    answered = get_message(by=request.user, message_id=message_id)
    form = MessageForm(request.POST)
    if not form.is_valid():
        return _show(request, answered, answer=form)
    conversation_id = UUID(answered["conversation_id"])
    said = form.say(by=request.user, conversation_id=conversation_id, reply_to_id=message_id)
    return _to_line(said) if said else _show(request, answered, answer=form)


@signed_in("POST")
def edit(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Change what I have said."""
    known = get_message(by=request.user, message_id=message_id)
    form = EditForm(request.POST, message=known)
    return _to_line(form.result) if form.carry_out(by=request.user) else _show(request, known, edit=form)


@signed_in("POST")
def delete(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Take a message back; what stays says that there was one."""
    known = get_message(by=request.user, message_id=message_id)
    with told(request, "The message is deleted."):
        edits.delete_message(by=request.user, message_id=message_id)
    return _to_line(known)


def _to_line(known: MessageJSON) -> HttpResponseRedirect:
    """Go to where a message stands in its conversation."""
    return HttpResponseRedirect(f"{reverse('conversation', args=[known['conversation_id']])}#m-{known['id']}")


def _show(request: SignedInRequest, known: MessageJSON, **forms: Any) -> HttpResponse:
    viewer = request.user
    shown = show_conversation(by=viewer, conversation_id=UUID(known["conversation_id"]))
    context = {
        "inbox": inbox_beside(by=viewer, open_id=shown["id"]),
        "head": Head.of(shown, viewer=viewer),
        "line": lines_of([known], conversation=shown, viewer=viewer)[0],
        "acts": acts_on(known, conversation=shown, viewer=viewer),
        "statuses": _statuses(viewer, known, shown),
        "quick": QUICK,
        **_forms(known, forms),
    }
    return render(request, "messaging/message.html", context, status=400 if forms else 200)


def _statuses(viewer: User, known: MessageJSON, conversation: Mapping[str, Any]) -> list[Standing]:
    """Who has had and read a message of one's own, the last news first."""
    if known["sender_id"] != str(viewer.pk) or known["deleted_at"] or known["kind"] == "notice":
        return []
    found = find_status(by=viewer, message_id=UUID(known["id"]))
    return standings_of(found, names=names_in(conversation))


def _forms(known: MessageJSON, filled: Mapping[str, Any]) -> dict[str, Any]:
    """The page's forms: fresh ones, but for the one that was not right."""
    answer, change, reaction = filled.get("answer"), filled.get("edit"), filled.get("reaction")
    return {
        "answer_form": answer or MessageForm(),
        "edit_form": change or EditForm(message=known),
        "reaction_form": reaction or ReactionForm(),
    }
