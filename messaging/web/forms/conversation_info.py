"""Forms of the page about a conversation: its details, its members, and the viewer's own settings for it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils import timezone

from accounts.models import User
from accounts.people.references import find_user
from accounts.web.base_forms import CommandForm, LinesField
from accounts.web.people_forms import NamingForm
from conversations.groups import add_members, transfer, update_group
from conversations.invite_links import MAX_USES, link_json, make_link
from conversations.models import DESCRIPTION_LENGTH, NAME_LENGTH, Conversation, Participant
from conversations.personal_settings import update_settings
from messaging.web.forms.new_conversation import HistoryField, PeopleField

MUTED_FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Muted until the person ends it."""
HOUR, DAY = 3600, 24 * 3600
MUTE_CHOICES = ((HOUR, "1 hour"), (8 * HOUR, "8 hours"), (DAY, "1 day"), (-1, "Until I turn it on"))


class ConversationForm(CommandForm):
    """A form about one conversation."""

    def __init__(self, data: Any = None, *, conversation_id: UUID, **options: Any) -> None:
        super().__init__(data, **options)
        self.conversation_id = conversation_id


class DetailsForm(ConversationForm):
    prefix = "details"
    fields_by_pointer: ClassVar = {"/name": "name", "/description": "description", "/history": "history"}
    name = forms.CharField(max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = LinesField(label="What it is about", required=False, max_length=DESCRIPTION_LENGTH)
    history = HistoryField()

    def obey(self, *, by: User, **fields: Any) -> Conversation:
        return update_group(by=by, conversation_id=self.conversation_id, **fields)


class AddMembersForm(ConversationForm, NamingForm):
    prefix = "add"
    names = "people"
    fields_by_pointer: ClassVar = {"/users": "people", "/participants": "people"}
    people = PeopleField(label="Add people", help_text="Names or usernames, with commas between.")

    def obey(self, *, by: User, **fields: Any) -> Conversation:
        return add_members(by=by, conversation_id=self.conversation_id, users=fields["people"])


class InviteLinkForm(ConversationForm):
    """An invitation link to a group."""

    LIFETIMES: ClassVar = [(7 * DAY, "a week"), (DAY, "a day"), (HOUR, "an hour"), (0, "as long as it is not revoked")]

    prefix = "link"
    fields_by_pointer: ClassVar = {"/expires_at": "lasts", "/max_uses": "max_uses"}
    lasts = forms.TypedChoiceField(label="It works for", choices=LIFETIMES, coerce=int)
    max_uses = forms.IntegerField(
        label="How many may use it (optional)",
        required=False,
        min_value=1,
        max_value=MAX_USES,
        help_text="Left empty, as many as like.",
    )

    def obey(self, *, by: User, **fields: Any) -> str:
        expires_at = timezone.now() + timedelta(seconds=fields["lasts"]) if fields["lasts"] else None
        link = make_link(
            by=by, conversation_id=self.conversation_id, expires_at=expires_at, max_uses=fields["max_uses"]
        )
        return str(link_json(*link)["url"])


class TransferForm(ConversationForm):
    prefix = "transfer"
    fields_by_pointer: ClassVar = {"/to": "to"}
    to = forms.ChoiceField(label="Hand the group over to")

    def __init__(self, data: Any = None, *, members: Iterable[tuple[str, str]], **options: Any) -> None:
        super().__init__(data, **options)
        field: Any = self.fields["to"]
        field.choices = list(members)

    def obey(self, *, by: User, **fields: Any) -> Conversation:
        successor = find_user({"id": UUID(fields["to"])}, by=by)
        return transfer(by=by, conversation_id=self.conversation_id, to=successor)


class PersonalSettingsForm(ConversationForm):
    """A participant's own settings for a conversation; each button of the page sends one of them."""

    notify = forms.ChoiceField(choices=Participant.Notify.choices, required=False)
    mute = forms.TypedChoiceField(choices=[*MUTE_CHOICES, (0, "")], coerce=int, empty_value=None, required=False)
    pinned = forms.NullBooleanField(required=False)
    archived = forms.NullBooleanField(required=False)

    def obey(self, *, by: User, **fields: Any) -> Participant:
        return update_settings(by=by, conversation_id=self.conversation_id, **_given(fields))


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that were sent, without those that were left out."""
    given = {name: fields[name] for name in ("pinned", "archived") if fields[name] is not None}
    if fields["notify"]:
        given["notify"] = fields["notify"]
    if fields["mute"] is not None:
        given["muted_until"] = _muted_until(fields["mute"])
    return given


def _muted_until(seconds: int) -> datetime | None:
    if seconds < 0:
        return MUTED_FOREVER
    return timezone.now() + timedelta(seconds=seconds) if seconds else None
