"""How usernames are compared, and which of them are reserved."""

import unicodedata

from django.conf import settings

from chatproject.core.text import fold

KEPT = frozenset({"all", "everyone", "here", "admin", "root", "support", "staff", "system", "parley"})
"""Names that people would take for the server's own, or that mean more than one person."""
IS_KEPT = "This name is kept for the server. Please choose another one."
IS_TAKEN = "Someone has this name already."


def fold_username(written: str) -> str:
    """Return the username that someone means by what they typed: case and surrounding spaces are ignored."""
    return fold(written.strip())


def is_kept(username: str) -> bool:
    """Return whether a name is reserved: nobody may choose it, but `createsuperuser` and the seed may give it."""
    folded = fold_username(username)
    return folded in KEPT or folded == _plain(settings.SERVER_NAME)


def _plain(name: str) -> str:
    return "".join(fold(unicodedata.normalize("NFKC", name)).split())
