"""Sending a message on, as a page that needs no script."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from accounts.web.base import WRITE, SignedInRequest, signed_in
from chatproject.core import rate_limits
from chatproject.core.errors import Refused
from messaging.messages.json import MessageJSON
from messaging.messages.send import send_message
from messaging.sync.history import get_message
from messaging.sync.inbox import show_conversation
from messaging.web.forms import ForwardForm
from messaging.web.inbox_context import inbox_beside
from messaging.web.timeline_context import acts_on, lines_of

GONE = "That conversation is not there any more."


@signed_in(*WRITE)
def forward(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Choose where a message goes, and send it there."""
    known = get_message(by=request.user, message_id=message_id)
    shown = show_conversation(by=request.user, conversation_id=UUID(known["conversation_id"]))
    if not acts_on(known, conversation=shown, viewer=request.user).answer:
        raise Http404
    form = ForwardForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (said := _say(request, message_id, form)):
        return HttpResponseRedirect(f"{reverse('conversation', args=[said['conversation_id']])}#m-{said['id']}")
    context = {
        "inbox": inbox_beside(by=request.user, open_id=shown["id"]),
        "targets": inbox_beside(by=request.user, cursor=request.GET.get("cursor")),
        "line": lines_of([known], conversation=shown, viewer=request.user)[0],
        "form": ForwardForm(),
    }
    return render(request, "messaging/forward.html", context, status=200 if request.method == "GET" else 400)


def _say(request: SignedInRequest, message_id: UUID, form: ForwardForm) -> MessageJSON | None:
    """Send it on; None if that was refused, and the page says why."""
    where = {"conversation_id": form.cleaned_data["to"], "id": form.cleaned_data["id"]}
    try:
        rate_limits.require([(rate_limits.SEND, request.user.pk)])
        return send_message(by=request.user, forward_of_id=message_id, **where).message
    except (Refused, rate_limits.RateLimited) as refusal:
        messages.error(request, str(refusal))
    except ObjectDoesNotExist:
        messages.error(request, GONE)
    return None
