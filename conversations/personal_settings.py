"""What someone settles for themselves about a conversation: their own place in it, which nobody else sees."""

from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from accounts.changes import publish_user_change
from accounts.models import User
from accounts.people.locks import lock_people
from chatproject.core.encryption import seal, unseal
from chatproject.core.errors import Invalid
from chatproject.core.text import require_storable
from conversations.access import participant_of
from conversations.models import Participant


class Settings(TypedDict, total=False):
    """What may be settled. A time in the past mutes nothing; an empty draft is none."""

    notify: str
    muted_until: datetime | None
    pinned: bool
    archived: bool
    draft: str | None


@transaction.atomic
def update_settings(*, by: User, conversation_id: UUID, **what: Unpack[Settings]) -> Participant:
    """Settle what is named; one's other devices hear of it. What is so already changes nothing.

    Raises Conversation.DoesNotExist for a stranger, Invalid for a value that can't be.
    """
    wanted = _checked(what)
    # People are locked before places, as every command does.
    lock_people([by.pk])
    participant = participant_of(by, conversation_id)
    changes = {name: value for name, value in wanted.items() if _current(participant, name) != value}
    if changes:
        version = publish_user_change(people=[by.pk], personal_settings_of=[conversation_id])[by.pk]
        stored = {name: _stored(participant, name, value) for name, value in changes.items()}
        Participant.objects.filter(pk=participant.pk).update(**stored, me_version=version, changed_at=Now())
        participant.refresh_from_db(fields=[*stored, "me_version", "changed_at"])
    return participant


def draft_of(participant: Participant) -> str:
    """What a person has begun to write."""
    if participant.draft is None:
        return ""
    return unseal(
        bytes(participant.draft), field="draft", row=participant.user_id, conversation=participant.conversation_id
    )


def _checked(what: Settings) -> dict[str, Any]:
    wanted: dict[str, Any] = dict(what)
    if unknown := wanted.keys() - Settings.__annotations__.keys():
        raise TypeError(f"Nobody can settle {', '.join(unknown)}.")
    if "notify" in wanted and wanted["notify"] not in Participant.Notify.values:
        raise Invalid("This is all, mentions or none.", pointer="/notify")
    if "draft" in wanted:
        wanted["draft"] = _checked_draft(wanted["draft"] or "")
    return wanted


def _checked_draft(text: str) -> str:
    if len(text) > settings.TEXT_LENGTH:
        raise Invalid(f"A draft has at most {settings.TEXT_LENGTH} characters.", pointer="/draft")
    require_storable(text, pointer="/draft")
    return text


def _current(participant: Participant, name: str) -> object:
    return draft_of(participant) if name == "draft" else getattr(participant, name)


def _stored(participant: Participant, name: str, value: Any) -> object:
    if name != "draft":
        return value
    return (
        seal(value, field="draft", row=participant.user_id, conversation=participant.conversation_id) if value else None
    )
