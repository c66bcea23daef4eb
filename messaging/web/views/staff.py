"""Pages of the staff beside those of Django's admin: who is connected now, and announcements."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from redis.exceptions import RedisError

from accounts.staff.admin_access import staff_of
from accounts.staff.admin_forms import reporting_refusals_on
from accounts.staff.audit_log import Action, record_view
from chatproject.core.pagination import BadCursor, OldCursor
from messaging.moderation import connections
from messaging.moderation.forms import AnnouncementForm


def connected(request: HttpRequest) -> HttpResponse:
    """Show who is connected to which server; the page's script reloads it."""
    by = staff_of(request)
    record_view(by=by, action=Action.SEE_CONNECTED)
    try:
        page = connections.find_connected(by=by, cursor=request.GET.get("cursor"))
        shown: dict[str, Any] = {"stats": connections.count(), "people": page.items, "next": page.next}
    except (BadCursor, OldCursor):
        return redirect("staff_connected")
    except RedisError:
        shown = {}
    return render(request, "admin/connected.html", {**admin.site.each_context(request), "title": "Connected", **shown})


def announce(request: HttpRequest) -> HttpResponse:
    """Send an announcement to everyone who is connected."""
    form = AnnouncementForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with reporting_refusals_on(form):
            connections.announce(by=staff_of(request), text=form.cleaned_data["text"])
            messages.success(request, "Everyone who is connected sees it now.")
            return redirect("staff_announce")
    about = "Everyone who is connected sees it at once, on all their devices. It is not stored."
    act = {"label": "Announce", "about": about}
    context = {**admin.site.each_context(request), "title": "Announce something", "act": act, "form": form}
    return render(request, "admin/act.html", context, status=400 if form.errors else 200)
