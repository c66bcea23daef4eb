"""Finding the people that a request names by id, username or wallet."""

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
    """Return the person that a reference names. Closed accounts and strangers' wallets raise User.DoesNotExist."""
    return _select_named([reference], by).get()


def find_users(references: Iterable[Reference], *, by: User) -> list[User]:
    """Return all people named, each once, with one query. Raises User.DoesNotExist if one is missing."""
    references = list(references)
    if not references:
        return []
    found = list(_select_named(references, by))
    names = {_key(kind, value) for user in found for kind, value in _references_of(user)}
    if any(_key(*next(iter(reference.items()))) not in names for reference in references):
        raise User.DoesNotExist
    return found


def _select_named(references: Iterable[Reference], by: User) -> QuerySet[User]:
    """Select all people named; `shows_wallet` is true for oneself and one's contacts, whose wallets one may know."""
    is_contact = Exists(Contact.objects.filter(user=by, other=OuterRef("pk")))
    condition = Q()
    for reference in references:
        condition |= _condition_of(reference)
    people = User.objects.filter(is_active=True).annotate(shows_wallet=is_contact | Q(pk=by.pk))
    return people.filter(condition)


def _condition_of(reference: Reference) -> Q:
    kind, value = next(iter(reference.items()))
    return {
        "id": lambda: Q(pk=value),
        "username": lambda: Q(username=fold_username(str(value))),
        "wallet": lambda: Q(wallet_address=checksummed(str(value)), shows_wallet=True),
    }[kind]()


def _references_of(user: User) -> list[tuple[str, UUID | str | None]]:
    """List the references that name a person. The wallet of a stranger is never one, even beside another reference."""
    shown: bool = user.shows_wallet  # type: ignore[attr-defined]
    return [("id", user.pk), ("username", user.username), ("wallet", user.wallet_address if shown else None)]


def _key(kind: str, value: object) -> tuple[str, str]:
    return kind, fold_username(str(value))
