"""The service account: who speaks where the place itself has something to tell a person.

It is made when it is needed for the first time. Nobody can sign in as it, write to it or block it.
"""

import secrets
from itertools import chain, count

from django.conf import settings
from django.contrib.auth.hashers import make_password

from accounts.models import SERVICE_ID, User


def service_account() -> User:
    """Give the service account."""
    names = chain(["parley"], (f"parley-{secrets.token_hex(4)}" for _ in count()))
    found = User.objects.filter(pk=SERVICE_ID).first()
    while found is None:
        made = User(pk=SERVICE_ID, username=next(names), display_name=settings.SERVER_NAME, is_bot=True)
        made.password = make_password(None)
        # Where the name is taken, or someone else makes it at this moment, nothing is made.
        User.objects.bulk_create([made], ignore_conflicts=True)
        found = User.objects.filter(pk=SERVICE_ID).first()
    return found
