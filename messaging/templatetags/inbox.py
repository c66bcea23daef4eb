"""What pages of other apps show of conversations."""

from typing import Any

from django import template

from accounts.models import User
from messaging.web.inbox_context import Here, inbox_beside

register = template.Library()


@register.inclusion_tag("messaging/_inbox.html", name="inbox_beside", takes_context=True)
def inbox_beside_page(context: template.Context) -> dict[str, Any]:
    """Draw the inbox beside a page: the one that its view has prepared, else the newest conversations."""
    shown: dict[str, Any] = context.flatten()  # type: ignore[assignment]
    return shown | {"inbox": shown.get("inbox") or inbox_beside(by=shown["request"].user)}


@register.simple_tag(takes_context=True)
def presence_of(context: template.Context, other: User) -> Here | None:
    """Give what the reader may know of someone's presence."""
    return Here.of(by=context["request"].user, other=other)
