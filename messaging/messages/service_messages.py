"""What the place itself writes to people, in the name of its service account."""

from collections.abc import Sequence

from accounts.models import User
from accounts.staff.service_account import service_account
from conversations.commands import start_direct
from messaging.messages import append


def tell(users: Sequence[User], text: str) -> None:
    """Write to people in the name of the place itself; it always arrives, but for closed accounts."""
    service = service_account()
    for user in users:
        if user.is_active and user.pk != service.pk:
            conversation, _ = start_direct(by=service, to=user)
            append.append(append.draft(sender_id=service.pk, conversation_id=conversation.pk, text=text))


def on_service_message(sender: object, *, user: User, text: str, **_: object) -> None:
    """Write what accounts asks for."""
    tell([user], text)
