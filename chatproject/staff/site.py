"""The admin site for the staff: it shows everything, and changes are made only by actions, which are commands.

Only model admins written for the staff are registered, whatever other apps bring along.
"""

from typing import Any

from allauth.account import views as allauth
from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from accounts.staff.admin_access import refusal_of, staff_of
from accounts.staff.audit_log import Action, record_view
from accounts.staff.model_admin import StaffAdmin
from chatproject.staff.charts import chart
from messaging.moderation.overview import news_for, overview_cache

CLOSED_VIEWS = {"autocomplete", "view_on_site"}
"""Views of Django that reveal whether a row of a model exists."""
SECTIONS: dict[str, list[tuple[str, dict[str, str]]]] = {
    "To look after": [("Report", {}), ("AuditEntry", {})],
    "People": [("User", {})],
    "Conversations": [("Conversation", {}), ("Participant", {}), ("InviteLink", {})],
    "Messages": [("Message", {}), ("MessageStatus", {}), ("Attachment", {})],
    "Machinery": [("ProcrastinateJob", {"name": "Jobs"})],
}
"""What the index lists, grouped by purpose."""


class StaffSite(admin.AdminSite):
    """The site at `/admin/`."""

    site_title = index_title = "Staff"
    site_header = "Parley"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return refusal_of(request) is None

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register only what is made for the staff, not what another app would let them change."""
        if admin_class is not None and issubclass(admin_class, StaffAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[Any]:
        return [each for each in super().get_urls() if getattr(each, "name", None) not in CLOSED_VIEWS]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """List the models by purpose, not by app."""
        listed = super().get_app_list(request, app_label)
        models = {model["object_name"]: model for app in listed for model in app["models"]}
        if app_label is not None:
            return listed
        return [
            {
                "name": name,
                "app_label": "",
                "app_url": "",
                "models": [{**models[each], **named} for each, named in section],
            }
            for name, section in SECTIONS.items()
        ]

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Show the overview, and record in the audit log who has seen it; that entry covers no other page."""
        by = staff_of(request)
        news = news_for(by.user)
        record_view(by=by, action=Action.SEE_OVERVIEW)
        seen = overview_cache.load()
        charts = [
            chart("messages", "Messages a day", seen.messages),
            chart("people", "New people a day", seen.newcomers),
        ]
        return super().index(request, {**(extra_context or {}), "seen": seen, "news": news, "charts": charts})

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to our sign-in page, which starts a session of ours; explain if being signed in is not enough.

        Django's own form is never shown: someone who is signed in could guess passwords with it without any rate limit.
        """
        if request.user.is_authenticated and request.user.is_staff and (reason := refusal_of(request)):
            messages.error(request, reason)
            return redirect("settings_security")
        ours: HttpResponse = secure_admin_login(_to_index)(request)
        return ours

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return allauth.logout(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_change_password")


def _to_index(request: HttpRequest) -> HttpResponse:
    return redirect("admin:index")
