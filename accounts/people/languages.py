"""The languages of pages and mail, by the tags that the contract uses: `en`, `de`."""

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from accounts.people.user_settings import AUTO, LANGUAGES, settings_of


def code_of(tag: str) -> str:
    """Return Django's code of a language, such as `en-gb` for `en`; the server's default for an unknown language."""
    return LANGUAGES.get(tag, settings.LANGUAGE_CODE)


def tag_of(code: str | None) -> str:
    """Return the tag of one of Django's codes; empty for a language that the server does not have."""
    tag = (code or "").partition("-")[0]
    return tag if tag in LANGUAGES else ""


def browser_language(request: HttpRequest) -> str:
    """Return the language that a browser asks for, of those that the server has; empty if it asks for none."""
    return tag_of(request.LANGUAGE_CODE) if "Accept-Language" in request.headers else ""


def language_of_mail(user: User, *, asking: str = "") -> str:
    """Return the language of a mail to someone: the one they chose, otherwise that of the browser they used last.

    For a person without a session it is `asking`, the language of the current request, or the server's default.
    """
    wanted = settings_of(user)["language"]
    if wanted != AUTO:
        return wanted
    known = user.sessions.exclude(language="").order_by("-last_seen_at", "-pk").values_list("language", flat=True)
    return known.first() or asking or tag_of(settings.LANGUAGE_CODE)
