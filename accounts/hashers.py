"""How passwords are hashed."""

import unicodedata

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with the least that OWASP's cheat sheet asks for: Django's own 100 MiB for each sign-in under way would
    let a crowd at the door take all the memory there is."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1


def normal_password(written: str) -> str:
    """Give the normal form of a password (NFKC): keyboards and systems write the same letters in different forms."""
    return unicodedata.normalize("NFKC", written)
