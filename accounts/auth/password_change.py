"""Changing a password, which ends the other sessions of the account."""

from django.db import transaction

from accounts.auth.linked_wallet import unlink_wallet
from accounts.auth.passwords import prepare_password
from accounts.auth.sessions import end_all_sessions, end_other_sessions
from accounts.models import Session, User
from accounts.people.locks import lock_people


def set_password(*, user: User, password: str, keep: Session | None = None) -> None:
    """Change a person's password and end all of their sessions except `keep`."""
    prepare_password(user=user, password=password)
    store_password(user=user, keep=keep)


@transaction.atomic
def store_password(*, user: User, keep: Session | None = None) -> None:
    """Store the password that `prepare_password` has hashed, and end all sessions of the person except `keep`."""
    lock_people([user.pk])
    user.save(update_fields=["password"])
    if keep is not None:
        end_other_sessions(session=keep)
    else:
        end_all_sessions(user=user)


def change_password(*, by: User, session: Session, password: str, unlink_wallets: bool = False) -> None:
    """Change a person's own password, which ends their other sessions, and unlink their wallet if they wish."""
    prepare_password(user=by, password=password)
    with transaction.atomic():
        if unlink_wallets:
            unlink_wallet(by=by, session=session)
        store_password(user=by, keep=session)
