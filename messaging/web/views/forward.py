"""The page that forwards a message; it works without a script."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from accounts.web.base import WRITE, SignedInRequest, signed_in
from chatproject.core import rate_limits
from chatproject.core.errors import Refused
from chatproject.core.rate_limits import quotas
from messaging.messages.json import MessageJSON
from messaging.messages.send import send_message
from messaging.sync.history import get_message
from messaging.sync.inbox import show_conversation
from messaging.web.contexts.inbox import inbox_sidebar
from messaging.web.contexts.timeline import actions_for, timeline_items
from messaging.web.forms.message import ForwardForm

GONE = "That conversation is not there any more."


@signed_in(*WRITE)
def forward(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Let the person choose a conversation, and forward the message to it."""
    known = get_message(by=request.user, message_id=message_id)
    shown = show_conversation(by=request.user, conversation_id=UUID(known["conversation_id"]))
    if not actions_for(known, conversation=shown, viewer=request.user).reply:
        raise Http404
    form = ForwardForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (sent := _send(request, message_id, form)):
        return HttpResponseRedirect(f"{reverse('conversation', args=[sent['conversation_id']])}#m-{sent['id']}")
    context = {
        "inbox": inbox_sidebar(by=request.user, open_id=shown["id"]),
        "targets": inbox_sidebar(by=request.user, cursor=request.GET.get("cursor")),
        "item": timeline_items([known], conversation=shown, viewer=request.user)[0],
        "form": ForwardForm(),
    }
    return render(request, "messaging/forward.html", context, status=200 if request.method == "GET" else 400)


def _send(request: SignedInRequest, message_id: UUID, form: ForwardForm) -> MessageJSON | None:
    """Forward the message; None if that was refused, and the page says why."""
    target = {"conversation_id": form.cleaned_data["to"], "id": form.cleaned_data["id"]}
    try:
        rate_limits.require([(quotas.SEND, request.user.pk)])
        return send_message(by=request.user, forward_of_id=message_id, **target).message
    except (Refused, rate_limits.RateLimited) as refusal:
        messages.error(request, str(refusal))
    except ObjectDoesNotExist:
        messages.error(request, GONE)
    return None
