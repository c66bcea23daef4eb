"""Commands of the staff about messages, links, media and accounts; each one is recorded in the audit log.

Commands that concern people alone are in `accounts/staff/moderation.py`.
"""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.staff.audit_log import Action, Staff, record
from chatproject.core.database import now
from chatproject.core.errors import Unprocessable
from chatproject.core.text import require_reason
from conversations.contacts import account_closure
from conversations.models import Conversation, InviteLink
from messaging.access import conversation_of
from messaging.messages.edit import make_tombstone
from messaging.messages.locked_message import save_change
from messaging.messages.service_messages import send_service_message
from messaging.models import Attachment, Blob, Message


@transaction.atomic
def close_account(*, by: Staff, user_id: UUID, reason: str) -> None:
    """Close a person's account for good, as they could themselves; User.DoesNotExist if it is closed."""
    user = User.objects.get(pk=user_id, is_active=True)
    by.require_authority_over(user)
    reason, before = require_reason(reason), {"username": user.username, "display_name": user.display_name}
    record(by=by, action=Action.CLOSE_ACCOUNT, kind="person", id=user.pk, reason=reason, before=before)
    account_closure.close_account(by=user)


@transaction.atomic
def delete_message(*, by: Staff, message_id: UUID, reason: str) -> None:
    """Delete a message for everyone; a tombstone stays. Deleting it again changes nothing."""
    reason = require_reason(reason)
    conversation = Conversation.objects.select_for_update(no_key=True).get(pk=conversation_of(message_id))
    message = Message.objects.get(pk=message_id)
    if message.kind == Message.Kind.NOTICE:
        raise Unprocessable("A notice can't be deleted.")
    if message.deleted_at is None:
        before = {"message_id": str(message.pk), "sender_id": str(message.sender_id)}
        record(
            by=by, action=Action.DELETE_MESSAGE, kind="conversation", id=conversation.pk, reason=reason, before=before
        )
        make_tombstone(message, conversation, at=now())


@transaction.atomic
def revoke_link(*, by: Staff, link_id: UUID) -> None:
    """Revoke an invitation link. Revoking it again changes nothing."""
    link = InviteLink.objects.select_for_update(no_key=True).get(pk=link_id)
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
        record(by=by, action=Action.REVOKE_LINK, kind="conversation", id=link.conversation_id)


@transaction.atomic
def quarantine(*, by: Staff, attachment_id: UUID, reason: str) -> None:
    """Block the download of a file in every message that contains it. Doing it again changes nothing."""
    attachment, blob = _lock_blob(attachment_id)
    reason = require_reason(reason)
    if blob.quarantined_at is None:
        blob.quarantined_at = timezone.now()
        _save_quarantine(by, Action.QUARANTINE, attachment, blob, reason)


@transaction.atomic
def release(*, by: Staff, attachment_id: UUID, reason: str) -> None:
    """Allow the download of a file again."""
    attachment, blob = _lock_blob(attachment_id)
    reason = require_reason(reason)
    if blob.quarantined_at is not None:
        blob.quarantined_at = None
        _save_quarantine(by, Action.RELEASE, attachment, blob, reason)


def _lock_blob(attachment_id: UUID) -> tuple[Attachment, Blob]:
    """Load an attachment, and lock its blob until the transaction ends."""
    blob = Blob.objects.select_for_update(no_key=True).get(attachments=attachment_id)
    return Attachment.objects.get(pk=attachment_id), blob


def _save_quarantine(by: Staff, action: Action, attachment: Attachment, blob: Blob, reason: str) -> None:
    """Save the blob, record the action, and publish a change of every message that contains the file."""
    blob.save(update_fields=["quarantined_at"])
    before = {"attachment_id": str(attachment.pk), "content_type": blob.content_type, "size": blob.size}
    record(by=by, action=action, kind="person", id=attachment.owner_id, reason=reason, before=before)
    uses = Attachment.objects.filter(blob=blob, message_id__isnull=False, gone_at=None).values_list("message_id")
    for message in Message.objects.filter(pk__in=uses, deleted_at=None).order_by("conversation_id", "position"):
        conversation = Conversation.objects.select_for_update(no_key=True).filter(pk=message.conversation_id).first()
        if conversation is not None:
            message.refresh_from_db()
            save_change(message, conversation)


@transaction.atomic
def warn(*, by: Staff, user_id: UUID, text: str) -> None:
    """Send a person a warning in the words of the staff."""
    words = require_reason(text, pointer="/text")
    user = User.objects.get(pk=user_id, is_active=True)
    by.require_authority_over(user)
    record(by=by, action=Action.WARN, kind="person", id=user.pk, reason=words)
    send_service_message([user], f"A warning from the people who run this place: {words}")
