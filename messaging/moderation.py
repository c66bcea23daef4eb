"""What the staff may do with what people say, and with accounts that have said it; each of it is in the audit log.

What concerns people alone is in `accounts/moderation.py`.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.service import service_account
from accounts.staff import Action, Staff, record
from chatproject.database import now
from conversations import closing
from conversations.access import Unprocessable, require_reason
from conversations.commands import start_direct
from conversations.models import Conversation, InviteLink
from messaging import log
from messaging.edits import bury
from messaging.models import Message


@transaction.atomic
def close_account(*, by: Staff, user_id: UUID, reason: str) -> None:
    """Close a person's account for good, as they could themselves; User.DoesNotExist if it is closed."""
    user = User.objects.get(pk=user_id, is_active=True)
    by.require_over(user)
    reason, before = require_reason(reason), {"username": user.username, "display_name": user.display_name}
    record(by=by, action=Action.CLOSE_ACCOUNT, kind="person", id=user.pk, reason=reason, before=before)
    closing.close_account(by=user)


@transaction.atomic
def delete_message(*, by: Staff, message_id: UUID, reason: str) -> None:
    """Take a message back for everyone; a tombstone stays. Nothing happens to one that is deleted already."""
    reason = require_reason(reason)
    conversation_id = Message.objects.values_list("conversation_id", flat=True).get(pk=message_id)
    conversation = Conversation.objects.select_for_update(no_key=True).get(pk=conversation_id)
    message = Message.objects.get(pk=message_id)
    if message.kind == Message.Kind.NOTICE:
        raise Unprocessable("A notice can't be deleted.")
    if message.deleted_at is None:
        what = {"message_id": str(message.pk), "sender_id": str(message.sender_id)}
        record(by=by, action=Action.DELETE_MESSAGE, kind="conversation", id=conversation.pk, reason=reason, before=what)
        bury(message, conversation, at=now())


@transaction.atomic
def revoke_link(*, by: Staff, link_id: UUID) -> None:
    """Let an invitation link lead nowhere from now on. Doing it again changes nothing."""
    link = InviteLink.objects.select_for_update(no_key=True).get(pk=link_id)
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
        record(by=by, action=Action.REVOKE_LINK, kind="conversation", id=link.conversation_id)


@transaction.atomic
def warn(*, by: Staff, user_id: UUID, text: str) -> None:
    """Tell a person that what they did is not wanted here, in the words of the staff."""
    words = require_reason(text, pointer="/text")
    user = User.objects.get(pk=user_id, is_active=True)
    by.require_over(user)
    record(by=by, action=Action.WARN, kind="person", id=user.pk, reason=words)
    tell([user], f"A warning from the people who run this place: {words}")


def tell(users: Sequence[User], text: str) -> None:
    """Write to people in the name of the place itself; it always arrives, but for closed accounts."""
    service = service_account()
    for user in users:
        if user.is_active and user.pk != service.pk:
            conversation, _ = start_direct(by=service, to=user)
            log.append(log.draft(sender_id=service.pk, conversation_id=conversation.pk, text=text))
