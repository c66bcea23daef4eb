"""The password hasher, and the normal form in which passwords are hashed."""

import unicodedata

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with the smallest parameters that OWASP's cheat sheet recommends.

    Django's default takes 100 MiB for each sign-in; many sign-ins at once would use up the memory of the server.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1


def normal_password(written: str) -> str:
    """Return the normal form (NFKC) of a password: keyboards and systems encode the same letters differently."""
    return unicodedata.normalize("NFKC", written)
