"""Forms of django-allauth's pages, changed to count failures and use codes up as the API does."""

from typing import Any

from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.core import context
from allauth.mfa.base import forms as factors
from allauth.mfa.internal.flows.add import validate_can_add_authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTOTPForm
from django import forms

from accounts.auth.allauth_adapter import AccountAdapter, attempt_origin
from accounts.auth.confirmation import record_confirmation
from accounts.auth.password_change import change_password
from accounts.auth.passwords import check_password
from accounts.auth.second_factor import check_code, needs_code, step_of
from chatproject.core import rate_limits
from chatproject.core.rate_limits import quotas


class CodeForm(factors.BaseAuthenticateForm):  # type: ignore[misc]
    """A code of an authenticator app, or a recovery code."""

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        try:
            self.authenticator = check_code(user=self.user, code=code, **attempt_origin(context.request))
        except rate_limits.RateLimited:
            raise _error("too_many_login_attempts") from None
        if self.authenticator is None:
            raise _error("incorrect_code")
        return code


class AuthenticateForm(CodeForm, factors.AuthenticateForm):  # type: ignore[misc]
    """The code that is asked for at sign-in."""


class ReauthenticateForm(CodeForm, factors.ReauthenticateForm):  # type: ignore[misc]
    """The code that is asked for at a confirmation."""


class ActivateTOTPForm(AllauthActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new authenticator app, which then counts as used."""

    step = 0

    def clean_code(self) -> str:
        validate_can_add_authenticator(self.user)
        code: str = self.cleaned_data["code"]
        step = step_of(self.secret, code)
        if step is None:
            raise _error("incorrect_code")
        self.step = step
        return code


class ChangePasswordForm(AllauthChangePasswordForm):  # type: ignore[misc]
    """Changes the password of a person who knows the old one; a linked wallet may be unlinked at the same time."""

    unlink_wallets = forms.BooleanField(
        label="Unlink my wallet, too",
        required=False,
        help_text="Your wallet signs you in without the password. Unlink it if somebody else may have got hold of it.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.user.wallet_address:
            del self.fields["unlink_wallets"]

    def save(self) -> None:
        session, unlinks = context.request.chat_session, self.cleaned_data.get("unlink_wallets", False)
        if unlinks and not needs_code(self.user):
            # The old password confirms their identity; people with a second factor have confirmed before this page.
            record_confirmation(session=session)
        password = self.cleaned_data["password1"]
        change_password(by=self.user, session=session, password=password, unlink_wallets=unlinks)

    def clean_oldpassword(self) -> str:
        password: str = self.cleaned_data["oldpassword"]
        try:
            found = check_password(username=self.user.username, password=password, **attempt_origin(context.request))
        except rate_limits.RateLimited:
            raise _error("too_many_login_attempts") from None
        if found is None:
            raise _error("enter_current_password")
        return password


class ResetPasswordForm(AllauthResetPasswordForm):  # type: ignore[misc]
    """The e-mail address to which the link for a new password is sent."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        asked = [
            (quotas.PASSWORD_RESETS_OF_ADDRESS, context.request.META["REMOTE_ADDR"]),
            (quotas.PASSWORD_RESETS_OF_EMAIL, email.lower()),
        ]
        if not rate_limits.consume(asked).allowed:
            raise forms.ValidationError("That was asked for too often. Please try again in an hour.")
        return email


def _error(code: str) -> forms.ValidationError:
    found: forms.ValidationError = AccountAdapter().validation_error(code)
    return found
