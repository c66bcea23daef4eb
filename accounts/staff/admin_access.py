"""Access to the admin: who may open its pages, and models that are read-only there."""

from typing import Any

from django.http import HttpRequest

from accounts.staff.audit_log import Staff
from chatproject.core.errors import Refused


def staff_of(request: Any) -> Staff:
    """Return the staff member who sent a request, to a page or to the REST API. Raises NotAllowed for others."""
    return Staff.of(request.user, request.META["REMOTE_ADDR"] or None)


def refusal_of(request: HttpRequest) -> str | None:
    """Return why the sender of a request may not use the admin; None if they may."""
    if not request.user.is_authenticated:
        return "Please sign in."
    try:
        staff_of(request)
    except Refused as refusal:
        return refusal.detail
    return None


class ReadOnly:
    """A model that the staff may view in the admin, and that nobody may change there."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return refusal_of(request) is None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return refusal_of(request) is None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
