"""What people say on the pages about themselves, their settings and their contacts."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.conf import settings

from accounts.auth.confirmation import NotConfirmed, confirm_by_password, confirm_by_wallet
from accounts.auth.known_devices import Devices
from accounts.auth.passwords import check_password
from accounts.auth.second_factor import needs_code
from accounts.models import Session, User, username_validators
from accounts.people.privacy import AUTO, CONTACTS, DARK, EVERYONE, LANGUAGES, LIGHT, SYSTEM, settings_of
from accounts.people.profiles import PersonJSON
from accounts.usernames import fold_username
from chatproject.core.errors import Refused
from chatproject.core.rate_limits import RateLimited
from conversations.contacts.account_closure import close_account
from conversations.contacts.commands import invite, update_me
from conversations.contacts.search import SEARCH_LEAST, search_people


class LinesField(forms.CharField):
    """Several lines: forms send their ends as CR LF, and here they are LF and count once."""

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class CommandForm(forms.Form):
    """A form that ends in one command; a refusal stands at the field it is about."""

    fields_by_pointer: ClassVar[dict[str, str]] = {}
    result: Any = None
    """What the command gave."""
    status = 400
    """How a page with a form that was not right is answered."""

    def carry_out(self, *, by: User) -> bool:
        """Do what the form asks for; False when something was wrong, and the form says what."""
        if not self.is_valid():
            return False
        try:
            self.result = self.obey(by=by, **self.cleaned_data)
        except Refused as refusal:
            self.add_error(self.fields_by_pointer.get(refusal.pointer or ""), refusal.detail)
        except RateLimited as refusal:
            self.add_error(None, str(refusal))
            self.status = 429
        except User.DoesNotExist:
            self.add_error(None, "Someone here has just closed their account.")
        return self.is_valid()

    def obey(self, *, by: User, **fields: Any) -> Any:
        raise NotImplementedError


OFFERED = 8
"""How many people a form offers for a name that is nobody's username."""


def find_by_username(usernames: Sequence[str]) -> list[User]:
    """Find people by the names they were called by; a ValidationError names those who don't exist."""
    names = [_folded(name) for name in usernames]
    found = {user.username: user for user in User.objects.filter(username__in=names, is_active=True)}
    missing = [name for name in names if name not in found]
    if missing:
        raise forms.ValidationError(f"There is nobody called {', '.join(missing)}.", code="nobody")
    return list(found.values())


def _folded(username: str) -> str:
    return fold_username(username.strip().removeprefix("@"))


class NamesInput(forms.TextInput):
    """A field for people, which a script makes a search; what is chosen beside it comes under the same name."""

    def __init__(self, *, act: str, is_one: bool = False) -> None:
        known = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "data-picker": act}
        super().__init__(attrs={**known, **({"data-one": ""} if is_one else {})})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Join what was written and what was ticked."""
        values = data.getlist(name) if hasattr(data, "getlist") else [data.get(name)]
        return ", ".join(value for value in values if value)


class NamingForm(CommandForm):
    """A form that names people: without a script, whoever it does not find by username it offers to choose from."""

    names: ClassVar[str]
    """The field that names them."""
    offered: Sequence[PersonJSON] = ()

    def carry_out(self, *, by: User) -> bool:
        is_done = super().carry_out(by=by)
        if not is_done and self.has_error(self.names, "nobody"):
            self._offer(by)
        return is_done

    def _offer(self, by: User) -> None:
        """Keep the usernames in the field, and look for the others as the beginnings of names."""
        written = [each.strip() for each in re.split(r"[,;]", self[self.names].value() or "") if each.strip()]
        usernames = {_folded(each) for text in written for each in text.split()}
        known = set(User.objects.filter(username__in=usernames, is_active=True).values_list("username", flat=True))
        sought = [text for text in written if not {_folded(each) for each in text.split()} <= known]
        act = self.fields[self.names].widget.attrs["data-picker"]
        found = {
            each["id"]: each
            for text in sought
            if len(text.removeprefix("@")) >= SEARCH_LEAST
            for each in search_people(by=by, text=text.removeprefix("@"), act=act or None, limit=OFFERED).items
        }
        self.offered = [each for each in found.values() if each["username"] not in known]
        if self.offered:
            self.use_required_attribute = False
            self.data = {**dict(self.data.items()), self.add_prefix(self.names): ", ".join(sorted(known))}


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
    """A form whose fields are some of the settings that there are."""

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
    """How the pages look, and in which language they are."""

    THEMES: ClassVar = [(SYSTEM, "As this device has it"), (LIGHT, "Light"), (DARK, "Dark")]

    theme = forms.ChoiceField(label="Theme", choices=THEMES, widget=forms.RadioSelect)
    language = forms.ChoiceField(label="Language", widget=forms.RadioSelect)

    def __init__(self, data: Any = None, *, person: User) -> None:
        super().__init__(data, person=person)
        names = {code.partition("-")[0]: name for code, name in settings.LANGUAGES}
        field: Any = self.fields["language"]
        field.choices = [(AUTO, "What my browser asks for"), *((tag, names[tag]) for tag in LANGUAGES)]


class InviteForm(NamingForm):
    names = "username"
    fields_by_pointer: ClassVar = {"/to": "username"}
    username = forms.CharField(label="Name or username", max_length=100, widget=NamesInput(act="", is_one=True))

    def clean_username(self) -> User:
        return find_by_username([self.cleaned_data["username"]])[0]

    def obey(self, *, by: User, **fields: Any) -> Any:
        return invite(by=by, to=fields["username"])


class SignatureForm(forms.Form):
    """What a wallet has signed."""

    message = LinesField(strip=False, max_length=4000)
    signature = forms.CharField(max_length=1000)


class PasswordField(forms.CharField):
    """The password that a person has now."""

    def __init__(self) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        super().__init__(label="Your password", strip=False, max_length=1000, widget=widget)


class CodeField(forms.CharField):
    """A code of a second factor."""

    def __init__(self) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"})
        words = "The one that your app shows now, or one of your recovery codes."
        super().__init__(label="Code", max_length=32, widget=widget, help_text=words)


class ConfirmForm(forms.Form):
    """What shows that it is the person of a session: their password, or what their wallet has signed, and a code."""

    password = PasswordField()
    message = LinesField(strip=False, max_length=4000, widget=forms.HiddenInput)
    signature = forms.CharField(max_length=1000, widget=forms.HiddenInput)
    code = CodeField()

    def __init__(self, data: Any = None, *, session: Session, address: str, devices: Devices = ()) -> None:
        super().__init__(data)
        self._session = session
        self._here: dict[str, Any] = {"address": address, "devices": devices}
        self.has_password = session.user.has_usable_password()
        left_out = {"message", "signature"} if self.has_password else {"password"}
        for name in left_out | (set() if needs_code(session.user) else {"code"}):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            self._confirm({"code": None, **self.cleaned_data})
        return self.cleaned_data

    def _confirm(self, shown: dict[str, Any]) -> None:
        by = confirm_by_password if self.has_password else confirm_by_wallet
        try:
            by(session=self._session, **self._here, **shown)
        except RateLimited:
            raise forms.ValidationError("Too many failed attempts. Please wait a few minutes.") from None
        except NotConfirmed:
            raise forms.ValidationError("That does not show that it is you. Please try again.") from None


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
