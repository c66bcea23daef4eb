"""Adapters that make django-allauth's pages use our sessions, rate limits and encryption keys."""

import logging
from typing import Any, ClassVar
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import respond_429
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import constant_time_compare

from accounts.auth import factor_secrets, password_change, passwords, sessions
from accounts.auth.confirmation import is_confirmed
from accounts.auth.known_devices import devices_of, remember_device
from accounts.auth.sign_in_attempts import count_sign_in_attempt
from accounts.auth.tokens import SESSION_KEY
from accounts.hashers import normal_password
from accounts.models import Session, User
from accounts.people.devices import device_words
from accounts.people.languages import browser_language, code_of, language_of_mail, tag_of
from accounts.usernames import IS_KEPT, IS_TAKEN, fold_username, is_kept
from chatproject.core import rate_limits
from chatproject.core.encryption.errors import Unreadable
from chatproject.core.errors import NotAllowed
from chatproject.core.rate_limits import quotas

logger = logging.getLogger(__name__)


PASSWORD_HASH = "password_hash"  # noqa: S105 (a name)
"""Key in a browser's session: the password hash of the person who is signing in, to notice a change meanwhile."""
LOOPBACK = {"127.0.0.1", "::1"}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Start one of our sessions at every sign-in, end it at sign-out, and apply the rate limits of the API."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": "This account is closed.",
        "duplicate_email": "This is already your address.",
        "enter_current_password": "That is not your password.",
        "incorrect_code": "That is not the code. Please try the next one.",
        "incorrect_password": "That is not your password.",
        "too_many_login_attempts": "Too many failed attempts. Please wait a few minutes.",
        "username_blacklisted": IS_KEPT,
        "username_password_mismatch": "Name and password do not match.",
        "username_taken": IS_TAKEN,
    }

    def pre_login(self, request: HttpRequest, user: User, **about: Any) -> HttpResponseBase | None:
        """Remember the password hash: entering the second factor may take minutes, and the password may change."""
        request.session[PASSWORD_HASH] = user.get_session_auth_hash()
        answer: HttpResponseBase | None = super().pre_login(request, user, **about)
        return answer

    def login(self, request: HttpRequest, user: User) -> None:
        try:
            session = self._start_session(request, user)
        except sessions.SessionEnded:
            raise _to_sign_in(request, "The password has just been changed. Please sign in with the new one.") from None
        except NotAllowed as refusal:
            raise _to_sign_in(request, refusal.detail) from None
        super().login(request, user)
        request.session[SESSION_KEY] = str(session.pk)
        request.device_token = session.device_token  # type: ignore[attr-defined]

    def _start_session(self, request: HttpRequest, user: User) -> Session:
        if not constant_time_compare(request.session.pop(PASSWORD_HASH, ""), user.get_session_auth_hash()):
            raise sessions.SessionEnded
        return sessions.start_session(
            user=user,
            name=device_name(request),
            ip=request.META["REMOTE_ADDR"] or None,
            language=browser_language(request),
            devices=devices_of(request),
        )

    def post_login(self, request: HttpRequest, user: User, **about: Any) -> HttpResponseBase:
        answer: HttpResponseBase = super().post_login(request, user, **about)
        remember_device(request, answer, getattr(request, "device_token", ""))
        return answer

    def logout(self, request: HttpRequest) -> None:
        if session := getattr(request, "chat_session", None):
            sessions.sign_out(session=session)
        super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        current = getattr(context.request, "chat_session", None)
        kept = current if current and current.user_id == user.pk else None
        password_change.set_password(user=user, password=password, keep=kept)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("settings_security")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        if "username" in credentials:
            credentials["username"] = fold_username(str(credentials["username"]))
        with passwords.hashing_turn():
            user: User | None = super().authenticate(request, **credentials)
        return user

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        # django-allauth calls `rollback` on it after a successful sign-in.
        self._login_failed_rl_usage = SignInAttempt(counted_attempt(request, username=_name(credentials)))

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        if not rate_limits.consume([(quotas.REGISTRATIONS, request.META["REMOTE_ADDR"])]).allowed:
            raise ImmediateHttpResponse(respond_429(request))
        try:
            with transaction.atomic():
                saved: User = super().save_user(request, user, form, commit)
        except IntegrityError:
            messages.error(request, "Someone has just taken this name.")
            raise ImmediateHttpResponse(redirect("account_signup")) from None
        return saved

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Fold a username to lower case, then validate it."""
        cleaned: str = super().clean_username(username.lower(), shallow)
        if is_kept(cleaned):
            raise self.validation_error("username_blacklisted")
        return cleaned

    def clean_password(self, password: str, user: User | None = None) -> str:
        """Validate a password in its normal form, but return it as written, to be compared with its repetition."""
        super().clean_password(normal_password(password), user)
        return password

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Offer our own confirmation page, which asks for all that is needed, and passkeys."""
        if not user.is_authenticated:
            return []
        known = super().get_reauthentication_methods(user)
        passkeys = [each for each in known if each["id"] == "mfa_reauthenticate:webauthn"]
        words = "Use your password" if user.has_usable_password() else "Use your wallet"
        own = {"id": "confirm", "description": words, "url": reverse("confirm")}
        return [own, *({**each, "description": "Use your passkey"} for each in passkeys)]

    def is_reauthentication_required(self, *, app: str, **about: Any) -> bool:
        """Return whether the person has to confirm first; django-allauth asks before it changes a second factor."""
        return not is_confirmed(context.request.chat_session)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail; only log a failure, so that no request fails and nobody learns from it which addresses exist."""
        links = {name: on_this_site(url) for name, url in context.items() if name.endswith("_url")}
        known = {"server_name": settings.SERVER_NAME, "site_url": settings.SITE_URL}
        try:
            with translation.override(_mail_language(context.get("user"))):
                super().send_mail(template_prefix, email, {**known, **context, **links})
        except OSError as error:
            logger.error("a mail was not sent: %s", type(error).__name__)

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """Notify confirmed addresses only: an unconfirmed one may belong to a stranger."""
        if EmailAddress.objects.get_verified(user):
            super().send_notification_mail(template_prefix, user, *args, **kwargs)


class SignInAttempt:
    """A counted sign-in attempt, with the interface that django-allauth expects."""

    def __init__(self, chance: rate_limits.Verdict) -> None:
        self._chance = chance

    def rollback(self) -> None:
        rate_limits.refund(self._chance)


def attempt_origin(request: HttpRequest) -> dict[str, Any]:
    """Return where a sign-in attempt on a page comes from: its IP address and the devices that it identifies."""
    session: Session | None = getattr(request, "chat_session", None)
    return {"address": request.META["REMOTE_ADDR"], "devices": devices_of(request, session=session)}


def counted_attempt(request: HttpRequest, *, username: str) -> rate_limits.Verdict:
    """Count a sign-in attempt on a page; after too many failures, raise ValidationError with the page's own message."""
    try:
        return count_sign_in_attempt(username=username, **attempt_origin(request))
    except rate_limits.RateLimited:
        raise AccountAdapter(request).validation_error("too_many_login_attempts") from None


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypt the secrets of second factors, like messages."""

    error_messages: ClassVar = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "cannot_generate_recovery_codes": "Set up an app or a passkey first.",
    }

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """Propose the device on which a passkey is created as its name."""
        return device_words(device_name(context.request))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the site of passkeys. For a loopback address it is `localhost`: browsers accept no other name."""
        name = urlsplit(settings.SITE_URL).hostname or ""
        return {"id": "localhost" if name in LOOPBACK else name, "name": settings.SERVER_NAME}

    def encrypt(self, text: str) -> str:
        return factor_secrets.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a secret. If that fails, treat the code as incorrect, and log the reason."""
        try:
            return factor_secrets.decrypt(encrypted_text)
        except Unreadable as error:
            logger.error("the secret of a second factor cannot be decrypted: %s", error)
            raise self.validation_error("incorrect_code") from error


def _to_sign_in(request: HttpRequest, words: str) -> ImmediateHttpResponse:
    """Return a redirect to the sign-in page, which shows why the person has to sign in again."""
    messages.error(request, words)
    return ImmediateHttpResponse(redirect("account_login"))


def on_this_site(url: str) -> str:
    """Rewrite a link to start with SITE_URL: django-allauth uses the Host header, which anyone may forge."""
    return settings.SITE_URL + urlsplit(url)._replace(scheme="", netloc="").geturl()


def _mail_language(user: User | None) -> str:
    """Return Django's code of the language of a mail; without an account, that of the browser that sent the request."""
    asking = tag_of(getattr(context.request, "LANGUAGE_CODE", None))
    return code_of(language_of_mail(user, asking=asking) if user else asking)


def _name(credentials: dict[str, Any]) -> str:
    return str(credentials.get("username") or credentials.get("email") or "")


def device_name(request: HttpRequest) -> str:
    """Return the name of a device: the User-Agent header of its browser."""
    return request.headers.get("User-Agent", "")[:200]


def address_of(user: User) -> EmailAddress | None:
    """Return someone's e-mail address: the confirmed one, otherwise the one that waits for confirmation."""
    found: EmailAddress | None = EmailAddress.objects.filter(user=user).order_by("-verified", "-pk").first()
    return found


def ask_to_confirm(request: HttpRequest, user: User) -> None:
    """Send the confirmation mail to a new account, if it has an e-mail address."""
    if user.email:
        address = EmailAddress.objects.create(user=user, email=user.email.lower(), primary=True)
        address.send_confirmation(request, signup=True)
