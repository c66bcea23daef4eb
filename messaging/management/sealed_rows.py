"""The rows that hold something encrypted."""

from collections.abc import Iterator
from contextlib import suppress

from allauth.mfa.models import Authenticator

from accounts.auth.factor_secrets import PLACES, sealed_secret
from chatproject.core.encryption.errors import Unreadable
from chatproject.core.encryption.sealing import key_id_of
from conversations.models import Participant
from messaging.models import Attachment, Message


def newest_key() -> bytes | None:
    """Return the id of the key that sealed the newest row; None if nothing is encrypted yet."""
    for sealed in _newest():
        try:
            return key_id_of(sealed)
        except Unreadable:
            continue  # damaged, which says nothing about the others
    return None


def _newest() -> Iterator[bytes]:
    """Return the newest value of each kind, those first that people write most."""
    bodies = Message.objects.exclude(body=None).order_by("-pk").values_list("body", flat=True)
    names = Attachment.objects.order_by("-pk").values_list("filename", flat=True)
    drafts = Participant.objects.exclude(draft=None).order_by("-changed_at").values_list("draft", flat=True)
    for newest in (bodies, names, drafts):
        yield from (bytes(each or b"") for each in newest[:1])
    for factor in Authenticator.objects.filter(type__in=PLACES).order_by("-pk")[:1]:
        with suppress(Unreadable):
            yield sealed_secret(factor)
