"""Forms that start a conversation: a direct one, or a group."""

import re
from typing import Any, ClassVar

from django import forms
from django.conf import settings

from accounts.models import User
from accounts.web.base_forms import LinesField
from accounts.web.people_forms import NamesInput, NamingForm, find_by_username
from conversations.creation import create_group, start_direct
from conversations.models import DESCRIPTION_LENGTH, NAME_LENGTH, Conversation


class DirectForm(NamingForm):
    prefix = "direct"
    names = "username"
    fields_by_pointer: ClassVar = {"/to": "username"}
    username = forms.CharField(label="Name or username", max_length=100, widget=NamesInput(act="write", is_one=True))

    def clean_username(self) -> User:
        return find_by_username([self.cleaned_data["username"]])[0]

    def obey(self, *, by: User, **fields: Any) -> Conversation:
        return start_direct(by=by, to=fields["username"])[0]


class PeopleField(forms.CharField):
    """Usernames, separated by spaces or commas; a script turns it into a search."""

    widget = NamesInput(act="add")
    default_error_messages: ClassVar = {"required": "Name at least one person."}

    def clean(self, value: Any) -> list[User]:
        names = re.findall(r"[^\s,;]+", super().clean(value))
        if len(names) > settings.GROUP_MEMBERS:
            raise forms.ValidationError(f"A group has at most {settings.GROUP_MEMBERS} members.")
        return find_by_username(names)


class HistoryField(forms.ChoiceField):
    """How much of a group's history new members see."""

    CHOICES: ClassVar = [
        (Conversation.History.JOINED, "What is said after they come"),
        (Conversation.History.SHARED, "What was said before, too"),
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(label="Newcomers see", choices=self.CHOICES, widget=forms.RadioSelect, **options)


class GroupForm(NamingForm):
    prefix = "group"
    names = "people"
    fields_by_pointer: ClassVar = {"/name": "name", "/description": "description", "/participants": "people"}
    name = forms.CharField(max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = LinesField(label="What it is about (optional)", required=False, max_length=DESCRIPTION_LENGTH)
    people = PeopleField(
        label="People (optional)", required=False, help_text="Names or usernames, with commas between."
    )
    history = HistoryField(required=False, initial=Conversation.History.JOINED)

    def obey(self, *, by: User, **fields: Any) -> Conversation:
        history = fields["history"] or Conversation.History.JOINED
        return create_group(
            by=by,
            name=fields["name"],
            description=fields["description"],
            participants=fields["people"],
            history=history,
        )
