"""Known devices: devices on which a person has signed in before, recognised by a secret token."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.models import Session

DEVICE_COOKIE = "device"
REMEMBERED_FOR = timedelta(days=400)
"""How long a device stays known after its last use. Browsers keep no cookie for longer."""
MAX_TOKENS = 5
"""How many people's tokens a shared browser stores."""

Devices = Collection[bytes]
"""Digests of the device tokens that come with an attempt."""


def known_device(*, username: str, devices: Devices) -> bytes | None:
    """Return the digest of these devices on which a person has signed in; None if there is none."""
    if not devices:
        return None
    since = timezone.now() - REMEMBERED_FOR
    known = Session.objects.filter(user__username=username, device_digest__in=devices, last_seen_at__gt=since)
    found = known.values_list("device_digest", flat=True).first()
    return bytes(found) if found else None


def forget_devices(sessions: QuerySet[Session]) -> None:
    """Make the devices of some sessions unknown."""
    sessions.exclude(device_digest=None).update(device_digest=None)


def new_token() -> str:
    """Generate a token that identifies a device."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def devices_of(request: HttpRequest, *, token: str = "", session: Session | None = None) -> Devices:
    """Return the devices that a request identifies: by its cookie, by `token` and by its session."""
    shown = [digest_of(each) for each in (token, *_cookie_tokens(request)) if each]
    return [*shown, bytes(session.device_digest)] if session and session.device_digest else shown


def remember_device(request: HttpRequest, response: HttpResponseBase, token: str) -> None:
    """Store a device token in the browser's cookie; without a token, extend the lifetime of the cookie."""
    tokens = [each for each in (token, *_cookie_tokens(request)) if each][:MAX_TOKENS]
    if tokens:
        response.set_cookie(
            DEVICE_COOKIE,
            ".".join(tokens),
            max_age=REMEMBERED_FOR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def _cookie_tokens(request: HttpRequest) -> list[str]:
    return request.COOKIES.get(DEVICE_COOKIE, "").split(".")[:MAX_TOKENS]
