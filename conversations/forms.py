"""How a person starts a conversation on a page: each of these forms ends in one."""

import re
from typing import Any, ClassVar

from django import forms

from accounts.forms import CommandForm
from accounts.models import User
from conversations.commands import create_group, start_direct
from conversations.models import Conversation


def find_users(usernames: list[str]) -> list[User]:
    """Find people by the names they were called by; a ValidationError names those who don't exist."""
    names = [name.removeprefix("@").lower() for name in usernames]
    found = {user.username: user for user in User.objects.filter(username__in=names, is_active=True)}
    missing = [name for name in names if name not in found]
    if missing:
        raise forms.ValidationError(f"There is nobody called {', '.join(missing)}.")
    return list(found.values())


class DirectForm(CommandForm):
    prefix = "direct"
    fields_by_pointer: ClassVar = {"/to": "username"}
    username = forms.CharField(
        max_length=31,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_username(self) -> User:
        return find_users([self.cleaned_data["username"]])[0]

    def obey(self, *, by: User, **fields: Any) -> Conversation:
        return start_direct(by=by, to=fields["username"])[0]


class GroupForm(CommandForm):
    prefix = "group"
    fields_by_pointer: ClassVar = {"/name": "name", "/participants": "people"}
    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    people = forms.CharField(
        label="People (optional)",
        required=False,
        help_text="Usernames, with spaces or commas between them.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_people(self) -> list[User]:
        return find_users(re.findall(r"[^\s,;]+", self.cleaned_data["people"]))

    def obey(self, *, by: User, **fields: Any) -> Conversation:
        return create_group(by=by, name=fields["name"], participants=fields["people"])
