"""The checks of `manage.py check --deploy`: what has to be right before others can reach this server."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 (Django's own word)
from django.db import DatabaseError

from chatproject.exposure import is_local
from conversations.change_log.delays import delays
from messaging.followers import FOLLOWERS
from messaging.management.demo.open_accounts import open_demo_accounts
from messaging.media.sanitizer.runner import measures
from messaging.retention.partitions import due_partitions, weeks_ahead

Problems = Iterator[CheckMessage]
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
SECRET_KEY_LENGTH = 50
SECRET_KEY_DISTINCT_LETTERS = 5
MIN_WEEKS_AHEAD = 2
FOLLOWER_DELAY_MAX = 60.0
"""Seconds."""
SANDBOX_HINT = "Linux 5.13 or newer on x86-64 or ARM64 supports all of them; see “Media” in docs/operations.md."


def deployment(check: Callable[[], Problems]) -> Callable[[], Problems]:
    """Register a check for `check --deploy`."""

    def run(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
        return list(check())

    run.__name__ = check.__name__
    register(run, Tags.security, deploy=True)
    return check


@deployment
def secret_key() -> Problems:
    """Whoever guesses the key can sign in as anyone."""
    key = settings.SECRET_KEY
    if not settings.HAS_SECRET_KEY:
        yield Error("SECRET_KEY is not set.", hint=_new("secrets.token_urlsafe(48)"), id="parley.E001")
    elif len(key) < SECRET_KEY_LENGTH or len(set(key)) < SECRET_KEY_DISTINCT_LETTERS:
        yield Error("SECRET_KEY can be guessed.", hint=_new("secrets.token_urlsafe(48)"), id="parley.E001")


@deployment
def chat_keys() -> Problems:
    """Without valid keys no message can be stored or read."""
    hint = _new("base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()")
    if not settings.CHAT_KEYS:
        yield Error("CHAT_KEYS is not set.", hint=hint, id="parley.E002")
    for number, key in enumerate(settings.CHAT_KEYS, start=1):
        if not _is_key(key):
            yield Error(f"Key {number} of CHAT_KEYS is not 32 bytes in URL-safe base64.", hint=hint, id="parley.E002")


@deployment
def allowed_hosts() -> Problems:
    """A site that answers to any host name can be made to create links to another site."""
    hosts = settings.ALLOWED_HOSTS
    if any(host == "*" for host in hosts):
        yield Error("ALLOWED_HOSTS allows every name.", hint="List the names of this site.", id="parley.E003")
    elif _is_public() and all(map(is_local, hosts)):
        hint = "List the names that people enter in their browsers."
        yield Error("ALLOWED_HOSTS has only names of this machine itself.", hint=hint, id="parley.E003")


@deployment
def allowed_origins() -> Problems:
    """A page of an allowed origin acts with the cookies of the person who opens it."""
    for origin in settings.ALLOWED_ORIGINS:
        if not ORIGIN.fullmatch(origin):
            hint = "Write the scheme, the name and optionally the port, in lower case: https://app.example"
            yield Error(f"“{origin}” in ALLOWED_ORIGINS is not an origin.", hint=hint, id="parley.E004")
        elif origin.startswith("http:"):
            hint = "Anyone on the network path can change such a page. Use https."
            yield Error(f"“{origin}” in ALLOWED_ORIGINS is not encrypted.", hint=hint, id="parley.E004")


@deployment
def site_url() -> Problems:
    """Links in password reset mails and invitations begin with it."""
    if _is_public() and not settings.SITE_URL.startswith("https://"):
        hint = "Set SITE_URL to the address that people enter in their browsers: https://chat.example"
        yield Error(f"Links of this site begin with {settings.SITE_URL}.", hint=hint, id="parley.E009")


@deployment
def debug() -> Problems:
    """Error pages would show settings and variables to everyone."""
    if settings.DEBUG:
        yield Error("DEBUG is on.", hint="Remove it from the environment.", id="parley.E005")


@deployment
def partitions() -> Problems:
    """Messages cannot be stored without the partition of their week."""
    try:
        ahead, due = weeks_ahead(), due_partitions()
    except DatabaseError as error:
        yield Error("The database does not answer.", hint=str(error).partition("\n")[0], id="parley.E006")
        return
    hint = "`manage.py partitions make` creates them, and so does the job worker every hour: is it running?"
    if ahead < MIN_WEEKS_AHEAD:
        yield Error(f"Partitions are ready for {max(ahead, 0)} weeks ahead.", hint=hint, id="parley.E007")
    if due:
        hint = "Is the job worker running? `manage.py partitions` lists them, `manage.py partitions drop` drops them."
        yield Warning(f"{len(due)} partitions are past their retention time.", hint=hint, id="parley.W001")


@deployment
def followers() -> Problems:
    """What follows the change log must not fall behind."""
    try:
        found = delays(follower.name for follower in FOLLOWERS)
    except DatabaseError:
        return
    if late := [each.follower for each in found if each.seconds >= FOLLOWER_DELAY_MAX]:
        hint = "Is `manage.py follow` running? Its log says what failed."
        yield Warning(f"These followers of the change log are behind: {', '.join(late)}.", hint=hint, id="parley.W008")


@deployment
def tls() -> Problems:
    """Without TLS, passwords and messages can be read on the network."""
    if not settings.BEHIND_TLS:
        hint = "Put a proxy with a certificate in front of the server, then set BEHIND_TLS=1 and TRUSTED_PROXIES."
        yield Warning("BEHIND_TLS is off: cookies are sent unprotected.", hint=hint, id="parley.W002")
    elif not settings.TRUSTED_PROXIES:
        hint = "Name the proxy in TRUSTED_PROXIES; otherwise its X-Forwarded-Proto is ignored and forms are refused."
        yield Warning("BEHIND_TLS is on, but no proxy is trusted.", hint=hint, id="parley.W005")


@deployment
def trusted_proxies() -> Problems:
    """A trusted proxy decides which address a client has."""
    for text in settings.TRUSTED_PROXIES:
        hint = "Write them as 10.0.0.7 or 10.0.0.0/24."
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            yield Error(f"“{text}” in TRUSTED_PROXIES is not an address.", hint=hint, id="parley.E008")
        else:
            if network.prefixlen == 0:
                yield Error(f"“{text}” in TRUSTED_PROXIES trusts everyone.", hint=hint, id="parley.E008")


@deployment
def limits() -> Problems:
    """Only load tests switch them off."""
    if not settings.CHAT_LIMITS:
        hint = "Remove CHAT_LIMITS from the environment."
        yield Warning("Rate limits are off: passwords can be guessed without limit.", hint=hint, id="parley.W003")


@deployment
def mail() -> Problems:
    """Mail contains names of people and links that sign in whoever has them."""
    if settings.EMAIL_BACKEND == "django.core.mail.backends.console.EmailBackend":
        hint = "Set EMAIL_URL, or EMAIL_URL=dummymail: to send none."
        yield Warning("Mail is written to the server's output.", hint=hint, id="parley.W006")


@deployment
def demo() -> Problems:
    """The demo's people have a password that everyone knows; the check looks for them in the database."""
    try:
        names = open_demo_accounts()
    except DatabaseError:
        return  # `partitions` reports it
    if names:
        hint = "`manage.py remove_demo` closes these accounts."
        yield Error(f"Everyone knows the password of {', '.join(names)}.", hint=hint, id="parley.E010")


@deployment
def sandbox() -> Problems:
    """Whoever exploits a decoder of media files can do what its process is allowed to do."""
    known = measures()
    if not known["limits"]:
        yield Warning(
            "Files are processed without limits on memory, time and size.", hint=SANDBOX_HINT, id="parley.W007"
        )
    if not (known["Landlock"] or known["own user"]):
        yield Warning(
            "The program that processes files can read the server's files.", hint=SANDBOX_HINT, id="parley.W007"
        )
    if not (known["seccomp"] or known["network namespace"]):
        yield Warning("The program that processes files can use the network.", hint=SANDBOX_HINT, id="parley.W007")


def _is_public() -> bool:
    return bool(settings.EXPOSED_BY)


def _is_key(text: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(text)) == 32
    except (binascii.Error, ValueError):
        return False


def _new(expression: str) -> str:
    return f"Generate one: python -c 'import base64, secrets; print({expression})'"
