"""Forms in which people are named, and the form that invites a contact."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms

from accounts.models import User
from accounts.people.profiles import PersonJSON
from accounts.usernames import fold_username
from accounts.web.base_forms import CommandForm
from conversations.contacts.invitations import invite
from conversations.contacts.search import MIN_SEARCH_LENGTH, search_people

OFFERED = 8
"""How many people a form offers for a name that is not a username."""


def find_by_username(usernames: Sequence[str]) -> list[User]:
    """Return the people with these usernames. Raises ValidationError with the names that don't exist."""
    names = [_folded(name) for name in usernames]
    found = {user.username: user for user in User.objects.filter(username__in=names, is_active=True)}
    missing = [name for name in names if name not in found]
    if missing:
        raise forms.ValidationError(f"There is nobody called {', '.join(missing)}.", code="nobody")
    return list(found.values())


def _folded(username: str) -> str:
    return fold_username(username.strip().removeprefix("@"))


class NamesInput(forms.TextInput):
    """A text field for people, which a script turns into a search; checkboxes beside it have the same name."""

    def __init__(self, *, act: str, is_one: bool = False) -> None:
        known = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "data-picker": act}
        super().__init__(attrs={**known, **({"data-one": ""} if is_one else {})})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Join the names that were typed and those that were ticked."""
        values = data.getlist(name) if hasattr(data, "getlist") else [data.get(name)]
        return ", ".join(value for value in values if value)


class NamingForm(CommandForm):
    """A form that names people. Without a script, it offers people to choose from for names that are not usernames."""

    names: ClassVar[str]
    """The name of the field in which people are named."""
    offered: Sequence[PersonJSON] = ()

    def carry_out(self, *, by: User) -> bool:
        is_done = super().carry_out(by=by)
        if not is_done and self.has_error(self.names, "nobody"):
            self._offer(by)
        return is_done

    def _offer(self, by: User) -> None:
        """Keep the usernames in the field, and search for people whose names begin with the other words."""
        written = [each.strip() for each in re.split(r"[,;]", self[self.names].value() or "") if each.strip()]
        usernames = {_folded(each) for text in written for each in text.split()}
        known = set(User.objects.filter(username__in=usernames, is_active=True).values_list("username", flat=True))
        sought = [text for text in written if not {_folded(each) for each in text.split()} <= known]
        act = self.fields[self.names].widget.attrs["data-picker"]
        found = {
            each["id"]: each
            for text in sought
            if len(text.removeprefix("@")) >= MIN_SEARCH_LENGTH
            for each in search_people(by=by, text=text.removeprefix("@"), act=act or None, limit=OFFERED).items
        }
        self.offered = [each for each in found.values() if each["username"] not in known]
        if self.offered:
            self.use_required_attribute = False
            self.data = {**dict(self.data.items()), self.add_prefix(self.names): ", ".join(sorted(known))}


class InviteForm(NamingForm):
    names = "username"
    fields_by_pointer: ClassVar = {"/to": "username"}
    username = forms.CharField(label="Name or username", max_length=100, widget=NamesInput(act="", is_one=True))

    def clean_username(self) -> User:
        return find_by_username([self.cleaned_data["username"]])[0]

    def obey(self, *, by: User, **fields: Any) -> Any:
        return invite(by=by, to=fields["username"])
