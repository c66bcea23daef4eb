"""What pages of other apps show of conversations."""

from typing import Any

from django import template

from accounts.models import User
from messaging.web.contexts import inbox
from messaging.web.contexts.presence import PresenceLabel

register = template.Library()


@register.inclusion_tag("messaging/inbox/_inbox.html", takes_context=True)
def inbox_sidebar(context: template.Context) -> dict[str, Any]:
    """Draw the inbox beside a page: the one that its view has prepared, else the latest conversations."""
    shown: dict[str, Any] = context.flatten()  # type: ignore[assignment]
    return shown | {"inbox": shown.get("inbox") or inbox.inbox_sidebar(by=shown["request"].user)}


@register.simple_tag(takes_context=True)
def presence_of(context: template.Context, other: User) -> PresenceLabel | None:
    """Return what the reader may know of someone's presence."""
    return PresenceLabel.of(by=context["request"].user, other=other)
