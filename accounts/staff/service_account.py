"""The service account: the sender of the server's own messages to people.

It is created when it is first needed. Nobody can sign in as it, write to it or block it.
"""

import secrets
from itertools import chain, count

from django.conf import settings
from django.contrib.auth.hashers import make_password

from accounts.models import SERVICE_ID, User


def service_account() -> User:
    """Return the service account; create it if it does not exist."""
    names = chain(["parley"], (f"parley-{secrets.token_hex(4)}" for _ in count()))
    found = User.objects.filter(pk=SERVICE_ID).first()
    while found is None:
        made = User(pk=SERVICE_ID, username=next(names), display_name=settings.SERVER_NAME, is_bot=True)
        made.password = make_password(None)
        # Nothing is created if the username is taken, or if another request creates the account at the same time.
        User.objects.bulk_create([made], ignore_conflicts=True)
        found = User.objects.filter(pk=SERVICE_ID).first()
    return found
