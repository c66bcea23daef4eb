"""Finding the people that a request names, by id, username or wallet."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Contact, User
from accounts.usernames import fold_username
from accounts.wallets.ethereum import checksummed

Reference = Mapping[str, Any]
"""`{"id": UUID}`, `{"username": str}` or `{"wallet": str}`: exactly one of them."""


def find_user(reference: Reference, *, by: User) -> User:
    """Find who a reference names; User.DoesNotExist for nobody, for closed accounts, and for a stranger's wallet."""
    return _those_named([reference], by).get()


def find_users(references: Iterable[Reference], *, by: User) -> list[User]:
    """Find everyone named, each once, in one query; User.DoesNotExist unless all are there."""
    references = list(references)
    if not references:
        return []
    found = list(_those_named(references, by))
    names = {_key(kind, value) for user in found for kind, value in _names_of(user)}
    if any(_key(*next(iter(reference.items()))) not in names for reference in references):
        raise User.DoesNotExist
    return found


def _those_named(references: Iterable[Reference], by: User) -> QuerySet[User]:
    """Select everyone named, each with whether the wallet may be known to who asks: one's own, and one's contacts'."""
    is_contact = Exists(Contact.objects.filter(user=by, other=OuterRef("pk")))
    condition = Q()
    for reference in references:
        condition |= _names(reference)
    people = User.objects.filter(is_active=True).annotate(shows_wallet=is_contact | Q(pk=by.pk))
    return people.filter(condition)


def _names(reference: Reference) -> Q:
    kind, value = next(iter(reference.items()))
    return {
        "id": lambda: Q(pk=value),
        "username": lambda: Q(username=fold_username(str(value))),
        "wallet": lambda: Q(wallet_address=checksummed(str(value)), shows_wallet=True),
    }[kind]()


def _names_of(user: User) -> list[tuple[str, UUID | str | None]]:
    """List what a person may be named by. Beside another name, too, a stranger's wallet is none."""
    shown: bool = user.shows_wallet  # type: ignore[attr-defined]
    return [("id", user.pk), ("username", user.username), ("wallet", user.wallet_address if shown else None)]


def _key(kind: str, value: object) -> tuple[str, str]:
    return kind, fold_username(str(value))
