"""Encryption of the secrets of second factors: each can be decrypted only in its own person's row, for its own purpose.

django-allauth encrypts a secret before its row exists, and decrypts one without passing the row it came from. So a
secret is bound to its row when the row is saved, and carries its row's owner from the moment the row is loaded.
"""

import base64
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import post_init, pre_save
from django.dispatch import receiver

from chatproject.core.encryption.errors import Unreadable
from chatproject.core.encryption.sealing import seal_secret, unseal_former_secret, unseal_secret

PLACES = {"totp": "secret", "recovery_codes": "seed"}
"""The key of the secret in the data of each type of second factor. Passkeys have public keys only, no secret."""
NEW, BOUND = "new:", "bound:"
"""Prefixes of encrypted secrets: `NEW` before the row is saved, `BOUND` from then on. Former secrets have neither."""
REBINDING = "_bound_secrets"
"""The end of the name of the migration that binds former secrets."""


class LoadedSecret(str):
    """An encrypted secret with the owner and purpose of the row that it was loaded from."""

    __slots__ = ("owner", "purpose")
    owner: UUID
    purpose: str

    @classmethod
    def of(cls, sealed: str, *, purpose: str, owner: UUID) -> "LoadedSecret":
        secret = cls(sealed)
        secret.purpose, secret.owner = purpose, owner
        return secret


def encrypt(text: str) -> str:
    """Encrypt a secret that has no row yet. It cannot be decrypted before it is bound to one."""
    return NEW + _encode(seal_secret(text, purpose="new"))


def decrypt(sealed: str) -> str:
    """Decrypt a secret that was loaded from its row. Raises Unreadable for another row's secret or any other text."""
    if not isinstance(sealed, LoadedSecret):
        raise Unreadable("This secret was not read from the row of a second factor.")
    if sealed.startswith(BOUND):
        return unseal_secret(_decode(sealed.removeprefix(BOUND)), purpose=sealed.purpose, owner=sealed.owner)
    if sealed.startswith(NEW) or _are_all_bound():
        raise Unreadable("This secret is bound to no row.")
    return unseal_former_secret(_decode(sealed))


def bound(sealed: str, *, purpose: str, owner: UUID) -> str:
    """Bind a new or former secret to its row; a bound one is unchanged. Raises Unreadable if it cannot be decrypted."""
    if sealed.startswith(BOUND):
        return sealed
    text = _decode(sealed.removeprefix(NEW))
    plain = unseal_secret(text, purpose="new") if sealed.startswith(NEW) else unseal_former_secret(text)
    return BOUND + _encode(seal_secret(plain, purpose=purpose, owner=owner))


def sealed_secret(factor: Authenticator) -> bytes:
    """Return the secret of a second factor as it is stored, without its prefix."""
    return _decode(str(factor.data.get(PLACES[factor.type], "")).removeprefix(BOUND).removeprefix(NEW))


@receiver(pre_save, sender=Authenticator)
def _bind(instance: Any, **about: Any) -> None:
    """Bind a new secret to its row before the row is saved."""
    key = PLACES.get(instance.type)
    if key is not None and str(instance.data.get(key, "")).startswith(NEW):
        instance.data[key] = bound(instance.data[key], purpose=instance.type, owner=instance.user_id)
        _attach_owner(instance)


@receiver(post_init, sender=Authenticator)
def _attach_owner(instance: Any, **about: Any) -> None:
    """Attach the owner and the purpose of the row to its secret."""
    key = PLACES.get(instance.type)
    if key is not None and "data" in instance.__dict__ and key in instance.data:
        secret = LoadedSecret.of(instance.data[key], purpose=instance.type, owner=instance.user_id)
        instance.data = {**instance.data, key: secret}


def _are_all_bound() -> bool:
    """Return whether the migration has bound every former secret. If so, an unbound one was inserted afterwards."""
    applied = MigrationRecorder(connection).migration_qs
    return bool(applied.filter(app="messaging", name__endswith=REBINDING).exists())


def _encode(sealed: bytes) -> str:
    return base64.b64encode(sealed).decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError as error:
        raise Unreadable from error
