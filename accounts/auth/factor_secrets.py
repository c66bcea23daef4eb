"""The secrets of second factors at rest: each opens only in the row of its own person, and only as what it is.

django-allauth encrypts a secret before there is a row, and decrypts one without saying whose row it came from. So the
binding is made where a row is saved, and what a row holds knows that row as soon as it is loaded.
"""

import base64
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import post_init, pre_save
from django.dispatch import receiver

from chatproject.core.encryption import Unreadable, seal_secret, unseal_former_secret, unseal_secret

PLACES = {"totp": "secret", "recovery_codes": "seed"}
"""Where the data of each type of second factor keep its secret. The public keys of passkeys are none."""
NEW, BOUND = "new:", "bound:"
"""What a sealed secret begins with: `NEW` before its row is saved, `BOUND` from then on. Former ones have neither."""
REBINDING = "_bound_secrets"
"""How the name of the migration ends that binds the former ones."""


class Kept(str):
    """A sealed secret, and the row that it was found in."""

    __slots__ = ("owner", "purpose")
    owner: UUID
    purpose: str

    @classmethod
    def of(cls, sealed: str, *, purpose: str, owner: UUID) -> "Kept":
        kept = cls(sealed)
        kept.purpose, kept.owner = purpose, owner
        return kept


def encrypt(text: str) -> str:
    """Seal a secret for which there is no row yet: it opens in none before it is bound to one."""
    return NEW + _written(seal_secret(text, purpose="new"))


def decrypt(sealed: str) -> str:
    """Open a secret in the row that holds it; Unreadable if it is another's, or something else."""
    if not isinstance(sealed, Kept):
        raise Unreadable("This secret was not read from the row of a second factor.")
    if sealed.startswith(BOUND):
        return unseal_secret(_read(sealed.removeprefix(BOUND)), purpose=sealed.purpose, owner=sealed.owner)
    if sealed.startswith(NEW) or _are_all_bound():
        raise Unreadable("This secret is bound to no row.")
    return unseal_former_secret(_read(sealed))


def bound(sealed: str, *, purpose: str, owner: UUID) -> str:
    """Bind a new or former secret to its row; one that is bound stays as it is. Unreadable if it does not open."""
    if sealed.startswith(BOUND):
        return sealed
    text = _read(sealed.removeprefix(NEW))
    plain = unseal_secret(text, purpose="new") if sealed.startswith(NEW) else unseal_former_secret(text)
    return BOUND + _written(seal_secret(plain, purpose=purpose, owner=owner))


@receiver(pre_save, sender=Authenticator)
def _bind(instance: Any, **about: Any) -> None:
    """Bind a new secret to the row that is saved."""
    place = PLACES.get(instance.type)
    if place is not None and str(instance.data.get(place, "")).startswith(NEW):
        instance.data[place] = bound(instance.data[place], purpose=instance.type, owner=instance.user_id)
        _remember(instance)


@receiver(post_init, sender=Authenticator)
def _remember(instance: Any, **about: Any) -> None:
    """Let the secret of a row know the row."""
    place = PLACES.get(instance.type)
    if place is not None and "data" in instance.__dict__ and place in instance.data:
        kept = Kept.of(instance.data[place], purpose=instance.type, owner=instance.user_id)
        instance.data = {**instance.data, place: kept}


def _are_all_bound() -> bool:
    """Tell whether the migration has bound every former secret: whatever still looks like one was put there since."""
    applied = MigrationRecorder(connection).migration_qs
    return bool(applied.filter(app="messaging", name__endswith=REBINDING).exists())


def _written(sealed: bytes) -> str:
    return base64.b64encode(sealed).decode()


def _read(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError as error:
        raise Unreadable from error
