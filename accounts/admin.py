"""People and the audit log in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import AuditEntry, Session, User
from accounts.staff import moderation
from accounts.staff.admin_access import ReadOnly
from accounts.staff.admin_forms import MessageForm, ReasonForm
from accounts.staff.audit_log import Staff
from accounts.staff.model_admin import StaffAction, StaffAdmin, link_to
from messaging.moderation.commands import close_account, warn
from messaging.moderation.connections import disconnect


def _may(by: Staff, user: User) -> bool:
    """Return whether a staff member is offered actions on a user. The command itself checks again."""
    has_authority = by.user.is_superuser or not (user.is_staff or user.is_superuser)
    return has_authority and user.is_active and not user.is_bot and user.pk != by.user.pk


def _may_name_staff(by: Staff, user: User) -> bool:
    return _may(by, user) and by.user.is_superuser


def _warn(*, by: Staff, thing: User, words: str) -> None:
    warn(by=by, user_id=thing.pk, text=words)


class SessionInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The devices that someone is signed in on."""

    model = Session
    fields = (
        "name",
        "ip",
        "created_at",
        "last_seen_at",
    )
    readonly_fields = fields
    can_delete = False
    extra = 0
    verbose_name_plural = "signed in on"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(ended_at=None).order_by("-last_seen_at")


@admin.register(User)
class UserAdmin(StaffAdmin):
    list_display = ("username", "display_name", "is_staff", "is_bot", "suspended_at", "date_joined", "closed_at")
    list_filter = ("is_staff", "is_bot", ("suspended_at", admin.EmptyFieldListFilter), "is_active")
    search_fields = ("username", "display_name", "email", "=id")
    fields = (
        "username",
        "display_name",
        "email",
        "wallet_address",
        "about",
        "is_staff",
        "is_superuser",
        "is_bot",
        "suspended_at",
        "suspension_reason",
        "date_joined",
        "closed_at",
    )
    inlines = (SessionInline,)
    staff_actions = (
        StaffAction(
            "suspend",
            "Suspend",
            lambda by, thing, reason: moderation.suspend(by=by, user_id=thing.pk, reason=reason),
            ReasonForm,
            "They can use nothing until you lift it. They see the reason.",
            danger=True,
            is_offered=lambda by, user: _may(by, user) and not user.suspended_at,
        ),
        StaffAction(
            "reinstate",
            "Lift the suspension",
            lambda by, thing: moderation.reinstate(by=by, user_id=thing.pk),
            is_offered=lambda by, user: _may(by, user) and bool(user.suspended_at),
        ),
        StaffAction(
            "warn",
            "Warn",
            _warn,
            MessageForm,
            "They get your message from the service account.",
            is_offered=_may,
        ),
        StaffAction(
            "disconnect",
            "Disconnect",
            lambda by, thing: disconnect(by=by, user_id=thing.pk),
            about="Closes their open connections. They may connect again at once.",
            is_offered=_may,
        ),
        StaffAction(
            "end-sessions",
            "Sign out everywhere",
            lambda by, thing: moderation.end_sessions(by=by, user_id=thing.pk),
            about="They have to sign in again on every device.",
            is_offered=_may,
        ),
        StaffAction(
            "make-staff",
            "Make staff",
            lambda by, thing: moderation.set_staff(by=by, user_id=thing.pk, is_staff=True),
            is_offered=lambda by, user: _may_name_staff(by, user) and not user.is_staff,
        ),
        StaffAction(
            "unmake-staff",
            "Remove from the staff",
            lambda by, thing: moderation.set_staff(by=by, user_id=thing.pk, is_staff=False),
            is_offered=lambda by, user: _may_name_staff(by, user) and user.is_staff,
        ),
        StaffAction(
            "close",
            "Close the account",
            lambda by, thing, reason: close_account(by=by, user_id=thing.pk, reason=reason),
            ReasonForm,
            "This can't be undone. Name, address and contacts are deleted; messages stay, under “Deleted account”.",
            danger=True,
            is_offered=_may,
        ),
    )


@admin.register(AuditEntry)
class AuditEntryAdmin(StaffAdmin):
    PAGES: ClassVar = {
        "person": "accounts_user",
        "conversation": "conversations_conversation",
        "report": "messaging_report",
    }

    list_display = ("at", "by", "action", "target", "ip", "reason")
    list_filter = ("action",)
    search_fields = ("=target_id", "by__username")
    list_select_related = ("by",)
    fields = ("at", "by", "ip", "action", "target", "reason", "before", "after")
    readonly_fields = ("target",)

    @admin.display(description="target")
    def target(self, entry: AuditEntry) -> str:
        page = self.PAGES.get(entry.target_kind)
        return link_to(page, entry.target_id) if page else "everyone"
