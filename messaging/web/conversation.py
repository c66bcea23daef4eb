"""The inbox and the open conversation, as pages that need no script."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.web.base import SignedInRequest
from chatproject.core.pagination import BadCursor
from conversations.personal_settings import update_place
from messaging.messages.json import ConversationJSON
from messaging.receipts.commands import mark_read
from messaging.sync.history import history
from messaging.sync.inbox import show_conversation
from messaging.web.forms import MessageForm
from messaging.web.inbox_context import Head, inbox_beside, people_in
from messaging.web.phrases import members, patterns
from messaging.web.timeline_context import QUICK, lines_of

BASICS = ("kind", "name", "avatar_url", "description", "owner_id", "participant_count", "participants")
"""What the page's script keeps up to date above the messages."""


@never_cache
@login_required
@require_safe
def inbox(request: SignedInRequest, *, archived: bool = False) -> HttpResponse:
    """Show someone's conversations: those at hand, or those put away."""
    try:
        side = inbox_beside(by=request.user, cursor=request.GET.get("cursor"), archived=archived)
    except BadCursor:
        raise Http404 from None
    return render(request, "messaging/inbox.html", {"inbox": side})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Show a conversation, or write into it; a stranger finds nothing."""
    try:
        if request.method == "POST":
            return _post(request, conversation_id)
        return _show(request, conversation_id)
    except ObjectDoesNotExist:
        # The conversation, or one's place in it: it may go while one writes.
        raise Http404 from None


def _post(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Whoever answers has read what the page showed; "read" alone is the button of readers without a script."""
    form = MessageForm(request.POST)
    if not form.is_valid():
        return _show(request, conversation_id, form=form)
    through = form.cleaned_data["read_through"]
    if through:
        mark_read(by=request.user, conversation_id=conversation_id, through=through)
    if request.POST.get("act") != "read":
        if form.say(by=request.user, conversation_id=conversation_id) is None:
            return _show(request, conversation_id, form=form)
        update_place(by=request.user, conversation_id=conversation_id, draft="")
    return redirect("conversation", conversation_id)


def _show(request: SignedInRequest, conversation_id: UUID, *, form: MessageForm | None = None) -> HttpResponse:
    before = _position(request.GET.get("before", ""))
    shown = show_conversation(by=request.user, conversation_id=conversation_id)
    page = history(by=request.user, conversation_id=conversation_id, before=before)
    newest = page.items[-1]["position"] if page.items and before is None else 0
    context = {
        "inbox": inbox_beside(by=request.user, open_id=shown["id"]),
        "conversation": shown,
        "head": Head.of(shown, viewer=request.user),
        "about": _about(shown, viewer=request.user),
        "people": people_in(shown),
        "lines": lines_of(page.items, conversation=shown, viewer=request.user),
        "older": page.next if page.has_more else None,
        "is_past": before is not None,
        "newest": newest,
        "basics": {name: value for name, value in shown.items() if name in BASICS} | {"role": shown["me"]["role"]},
        "quick": QUICK,
        "edit_seconds": settings.EDIT_SECONDS,
        "form": form or MessageForm(initial={"read_through": newest, "text": shown["me"]["draft"]}),
    }
    return render(request, "messaging/conversation.html", context, status=form.status if form else 200)


def _about(shown: ConversationJSON, *, viewer: User) -> str:
    """Say in a few words who is on the other side."""
    if shown["kind"] == "direct":
        others = [person.username for person in people_in(shown) if person.id != str(viewer.pk)]
        return f"@{others[0]}" if any(others) else ""
    count = members(shown["participant_count"], patterns())
    return f"{count} · {shown['description']}" if shown["description"] else count


def _position(text: str) -> int | None:
    """Read a position out of an address; whatever is none counts as not given."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
