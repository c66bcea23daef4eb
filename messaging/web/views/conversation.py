"""The inbox page and the page of an open conversation; both work without a script."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.web.base import SignedInRequest, to_first_page
from chatproject.core.pagination import BadCursor, OldCursor
from conversations.personal_settings import update_settings
from messaging.messages.json import ConversationJSON
from messaging.receipts.commands import mark_read
from messaging.sync.history import history
from messaging.sync.inbox import show_conversation
from messaging.web.contexts.header import ConversationHeader
from messaging.web.contexts.inbox import inbox_sidebar
from messaging.web.contexts.names import participant_list
from messaging.web.contexts.timeline import QUICK_REACTIONS, timeline_items
from messaging.web.forms.message import MessageForm
from messaging.web.phrases import member_count, patterns

HEADER_FIELDS = ("kind", "name", "avatar_url", "description", "owner_id", "participant_count", "participants")
"""The fields of the conversation that the page's script keeps up to date above the messages."""


@never_cache
@login_required
@require_safe
def inbox(request: SignedInRequest, *, archived: bool = False) -> HttpResponse:
    """Show a person's conversations: the active ones, or the archived ones."""
    try:
        sidebar = inbox_sidebar(by=request.user, cursor=request.GET.get("cursor"), archived=archived)
    except BadCursor:
        raise Http404 from None
    except OldCursor:
        return to_first_page(request)
    return render(request, "messaging/inbox.html", {"inbox": sidebar})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Show a conversation, or send a message to it; 404 for a stranger."""
    try:
        if request.method == "POST":
            return _post(request, conversation_id)
        return _show(request, conversation_id)
    except ObjectDoesNotExist:
        # The conversation may be deleted, or the person removed from it, while they write.
        raise Http404 from None


def _post(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    """Send a message. What the page showed counts as read; `act=read` is the button for readers without a script."""
    form = MessageForm(request.POST)
    if not form.is_valid():
        return _show(request, conversation_id, form=form)
    through = form.cleaned_data["read_through"]
    if through:
        mark_read(by=request.user, conversation_id=conversation_id, through=through)
    if request.POST.get("act") != "read":
        if form.send(by=request.user, conversation_id=conversation_id) is None:
            return _show(request, conversation_id, form=form)
        update_settings(by=request.user, conversation_id=conversation_id, draft="")
    return redirect("conversation", conversation_id)


def _show(request: SignedInRequest, conversation_id: UUID, *, form: MessageForm | None = None) -> HttpResponse:
    before = _parse_position(request.GET.get("before", ""))
    shown = show_conversation(by=request.user, conversation_id=conversation_id)
    page = history(by=request.user, conversation_id=conversation_id, before=before)
    newest = page.items[-1]["position"] if page.items and before is None else 0
    context = {
        "inbox": inbox_sidebar(by=request.user, open_id=shown["id"]),
        "conversation": shown,
        "header": ConversationHeader.of(shown, viewer=request.user),
        "subtitle": _subtitle(shown, viewer=request.user),
        "people": participant_list(shown),
        "timeline_items": timeline_items(page.items, conversation=shown, viewer=request.user),
        "older_before": page.next if page.has_more else None,
        "is_older_page": before is not None,
        "newest_position": newest,
        "header_fields": _header_fields(shown),
        "quick_reactions": QUICK_REACTIONS,
        "edit_seconds": settings.EDIT_SECONDS,
        "form": form or MessageForm(initial={"read_through": newest, "text": shown["me"]["draft"]}),
    }
    return render(request, "messaging/conversation.html", context, status=form.status if form else 200)


def _header_fields(shown: ConversationJSON) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name in HEADER_FIELDS} | {"role": shown["me"]["role"]}


def _subtitle(shown: ConversationJSON, *, viewer: User) -> str:
    """Return the other person's username, or a group's size and description."""
    if shown["kind"] == "direct":
        others = [person.username for person in participant_list(shown) if person.id != str(viewer.pk)]
        return f"@{others[0]}" if any(others) else ""
    count = member_count(shown["participant_count"], patterns())
    return f"{count} · {shown['description']}" if shown["description"] else count


def _parse_position(text: str) -> int | None:
    """Read a position from a URL; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
