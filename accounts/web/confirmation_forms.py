"""The form by which a person confirms their identity, and its fields."""

from typing import Any

from django import forms

from accounts.auth.confirmation import NotConfirmed, confirm_by_password, confirm_by_wallet
from accounts.auth.known_devices import Devices
from accounts.auth.second_factor import needs_code
from accounts.models import Session
from accounts.web.base_forms import LinesField
from chatproject.core.rate_limits import RateLimited


class SignatureForm(forms.Form):
    """A message that a wallet has signed."""

    message = LinesField(strip=False, max_length=4000)
    signature = forms.CharField(max_length=1000)


class PasswordField(forms.CharField):
    """The current password of a person."""

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
    """Confirms the person of a session by their password, or by a message that their wallet has signed, and a code."""

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
