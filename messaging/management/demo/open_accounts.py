"""The demo's accounts on a site that others can reach: everyone knows their password, and one of them is staff."""

from django.conf import settings
from django.contrib.auth.hashers import check_password

from accounts.models import User
from messaging.management.demo.cast import CAST, PASSWORD


class DemoIsOpen(Exception):
    """Others can reach this site, and could sign in as the demo's people."""


def open_demo_accounts() -> list[str]:
    """Return the usernames of the demo's people whose password everyone knows, in order."""
    people = User.objects.filter(username__in=CAST, is_active=True, suspended_at=None).order_by("username")
    return [user.username for user in people if check_password(PASSWORD, user.password)]


def require_closed_demo() -> None:
    """Raise DemoIsOpen if others can reach this site, and the demo's people exist or are about to be created."""
    if not settings.EXPOSED_BY:
        return
    reached_by = ", ".join(settings.EXPOSED_BY)
    if names := open_demo_accounts():
        raise DemoIsOpen(
            f"Others can reach this site ({reached_by}), and everyone knows the password of {', '.join(names)}. "
            "Close these accounts with `make remove-demo`, or with `manage.py remove_demo` where the database is your "
            "own, then start again."
        )
    if settings.CHAT_DEMO:
        raise DemoIsOpen(
            f"Others can reach this site ({reached_by}), and everyone knows the password of the people that CHAT_DEMO "
            "makes. Take CHAT_DEMO out of the environment."
        )
