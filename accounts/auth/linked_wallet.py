"""Linking a wallet to an account: it can sign the person in, and contacts find them by its address."""

from collections.abc import Collection, Sequence
from functools import partial
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.core import context
from django.db import IntegrityError, transaction

from accounts.auth.confirmation import require_confirmed
from accounts.changes import publish_user_change
from accounts.models import Contact, Session, User
from accounts.people.locks import person_in, with_people_locked
from accounts.signals import service_message
from chatproject.core.errors import Conflict

LINKED = (
    "The wallet {wallet} was linked to your account and signs you in from now on. "
    "If this was not you, change your password and unlink the wallet in your settings, under Security."
)
UNLINKED = (
    "The wallet {wallet} was unlinked from your account and no longer signs you in. "
    "If this was not you, change your password."
)


def link_wallet(*, by: User, session: Session, wallet: str) -> User:
    """Link a verified wallet to an account, so that the person can sign in with it, and notify them.

    Raises Conflict if it is someone else's, or they have another one; ConfirmationRequired unless they have just
    confirmed their identity in this session.
    """
    require_confirmed(session)

    def act(people: Sequence[User]) -> User:
        me = person_in(people, by.pk)
        if me.wallet_address not in {None, wallet}:
            raise Conflict("You have another wallet. Unlink that one first.")
        return _store_wallet(people, me, wallet)

    return with_people_locked(act, people=lambda: _with_contacts(by.pk))


def unlink_wallet(*, by: User, session: Session) -> User:
    """Unlink the wallet from an account, and notify the person. Does nothing if no wallet is linked.

    Raises Conflict if they could not sign in without it; ConfirmationRequired unless they have just confirmed their
    identity in this session.
    """
    require_confirmed(session)

    def act(people: Sequence[User]) -> User:
        me = person_in(people, by.pk)
        if me.wallet_address and not me.has_usable_password():
            raise Conflict("Choose a password first: without it and the wallet nobody could sign in to this account.")
        return _store_wallet(people, me, None)

    return with_people_locked(act, people=lambda: _with_contacts(by.pk))


def _store_wallet(people: Sequence[User], me: User, wallet: str | None) -> User:
    """Store the wallet of a locked person, notify them, and publish the change to their contacts."""
    if me.wallet_address == wallet:
        return me
    former, me.wallet_address = me.wallet_address, wallet
    try:
        with transaction.atomic():
            me.save(update_fields=["wallet_address"])
    except IntegrityError:
        raise Conflict("This wallet is someone else's.") from None
    publish_user_change(people=[user.pk for user in people], contacts=True)
    # The notification is sent after the commit: it locks a conversation, and conversations are locked before people.
    transaction.on_commit(partial(_notify, me, linked=wallet, unlinked=former), robust=True)
    return me


def _notify(me: User, *, linked: str | None, unlinked: str | None) -> None:
    """Notify a person on all their devices, and by mail: someone else may have changed their wallet."""
    mail = "account/email/wallet_linked" if linked else "account/email/wallet_unlinked"
    if context.request is not None:
        get_adapter().send_notification_mail(mail, me, {"wallet": linked or unlinked})
    service_message.send(
        User, user=me, text=LINKED.format(wallet=linked) if linked else UNLINKED.format(wallet=unlinked)
    )


def _with_contacts(user_id: UUID) -> Collection[UUID]:
    return {user_id, *Contact.objects.filter(other=user_id).values_list("user", flat=True)}
