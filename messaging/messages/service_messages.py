"""Messages that the product itself sends to people, from its service account."""

from collections.abc import Sequence

from accounts.models import User
from accounts.staff.service_account import service_account
from conversations.creation import start_direct
from messaging.messages.append import append
from messaging.messages.draft import make_draft


def send_service_message(users: Sequence[User], text: str) -> None:
    """Send a message to each of some people, whatever they allow to strangers; closed accounts get none."""
    service = service_account()
    for user in users:
        if user.is_active and user.pk != service.pk:
            conversation, _ = start_direct(by=service, to=user)
            append(make_draft(sender_id=service.pk, conversation_id=conversation.pk, text=text))


def on_service_message(sender: object, *, user: User, text: str, **_: object) -> None:
    """Send what accounts ask for by the signal."""
    send_service_message([user], text)
