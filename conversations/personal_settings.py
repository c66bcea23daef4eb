"""The personal settings of a conversation: nobody else sees them."""

from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from accounts.changes import publish_user_change
from accounts.models import User
from accounts.people.locks import lock_people
from chatproject.core.encryption.sealing import seal, unseal_or_empty
from chatproject.core.errors import Invalid
from chatproject.core.text import require_storable
from conversations.access import participant_of
from conversations.models import Participant


class Settings(TypedDict, total=False):
    """The settings that can be changed. A time in the past mutes nothing; an empty draft deletes the draft."""

    notify: str
    muted_until: datetime | None
    pinned: bool
    archived: bool
    draft: str | None


@transaction.atomic
def update_settings(*, by: User, conversation_id: UUID, **what: Unpack[Settings]) -> Participant:
    """Change the named settings and publish them to the person's devices. An equal value changes nothing.

    Raises Conversation.DoesNotExist for a stranger, Invalid for an invalid value.
    """
    wanted = _checked(what)
    # Lock people before participants, in the same order as every other command.
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
    """Return the decrypted draft of a participant; empty if there is none."""
    if participant.draft is None:
        return ""
    return unseal_or_empty(
        bytes(participant.draft), field="draft", row=participant.user_id, conversation=participant.conversation_id
    )


def _checked(what: Settings) -> dict[str, Any]:
    wanted: dict[str, Any] = dict(what)
    if unknown := wanted.keys() - Settings.__annotations__.keys():
        raise TypeError(f"Unknown settings: {', '.join(unknown)}.")
    if "notify" in wanted and wanted["notify"] not in Participant.Notify.values:
        raise Invalid("This must be all, mentions or none.", pointer="/notify")
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
