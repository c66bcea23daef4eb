"""The forms of the settings: profile, privacy, appearance, closing the account."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings

from accounts.auth.known_devices import Devices
from accounts.auth.passwords import check_password
from accounts.models import User, username_validators
from accounts.people.user_settings import AUTO, CONTACTS, DARK, EVERYONE, LANGUAGES, LIGHT, SYSTEM, settings_of
from accounts.web.base_forms import CommandForm, LinesField
from accounts.web.confirmation_forms import PasswordField
from chatproject.core.rate_limits import RateLimited
from conversations.contacts.account_closure import close_account
from conversations.contacts.profile import update_me


class ProfileForm(CommandForm):
    fields_by_pointer: ClassVar = {"/display_name": "display_name", "/username": "username"}
    username = forms.CharField(
        label="Username",
        max_length=150,
        help_text="Yours was made up when your wallet first signed you in. You may choose another, once.",
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    display_name = forms.CharField(
        label="Name", required=False, max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    about = LinesField(
        label="About you", required=False, max_length=500, help_text="A line or two that everyone here may read."
    )

    def __init__(self, data: Any = None, *, person: User) -> None:
        known = {"username": person.username, "display_name": person.display_name, "about": person.about}
        super().__init__(data, initial=known)
        if not person.has_given_name:
            del self.fields["username"]
        self.fields["display_name"].help_text = f"Left empty, others see {person.username}."

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"].lower()
        for validator in username_validators:
            validator(name)
        return name

    def obey(self, *, by: User, **fields: Any) -> User:
        return update_me(by=by, **fields)


class SettingsForm(CommandForm):
    """A form whose fields are some of the person's settings."""

    def __init__(self, data: Any = None, *, person: User) -> None:
        super().__init__(data, initial={**settings_of(person)})

    def obey(self, *, by: User, **fields: Any) -> User:
        return update_me(by=by, settings=fields)


class PrivacyForm(SettingsForm):
    """What others may do and see."""

    WHO: ClassVar = [(EVERYONE, "Everyone here"), (CONTACTS, "My contacts only")]

    write = forms.ChoiceField(label="Who may write to me", choices=WHO, widget=forms.RadioSelect)
    add = forms.ChoiceField(label="Who may add me to groups", choices=WHO, widget=forms.RadioSelect)
    last_seen = forms.BooleanField(label="Show when I was last here", required=False)
    read_receipts = forms.BooleanField(label="Show what I have read", required=False)


class AppearanceForm(SettingsForm):
    """The theme and the language of the pages."""

    THEMES: ClassVar = [(SYSTEM, "As this device has it"), (LIGHT, "Light"), (DARK, "Dark")]

    theme = forms.ChoiceField(label="Theme", choices=THEMES, widget=forms.RadioSelect)
    language = forms.ChoiceField(label="Language", widget=forms.RadioSelect)

    def __init__(self, data: Any = None, *, person: User) -> None:
        super().__init__(data, person=person)
        names = {code.partition("-")[0]: name for code, name in settings.LANGUAGES}
        field: Any = self.fields["language"]
        field.choices = [(AUTO, "What my browser asks for"), *((tag, names[tag]) for tag in LANGUAGES)]


class CloseForm(CommandForm):
    password = PasswordField()

    def __init__(self, data: Any = None, *, person: User, address: str, devices: Devices = ()) -> None:
        super().__init__(data)
        self._person = person
        self._here: dict[str, Any] = {"address": address, "devices": devices}

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        try:
            found = check_password(username=self._person.username, password=password, **self._here)
        except RateLimited:
            raise forms.ValidationError("Too many wrong passwords. Please wait a few minutes.") from None
        if found is None:
            raise forms.ValidationError("That is not your password.")
        return password

    def obey(self, *, by: User, **fields: Any) -> None:
        close_account(by=by)
