"""The wallet that lets a person in, and by which their contacts find them."""

from collections.abc import Collection
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import Contact, User
from accounts.realtime import announce_change
from conversations.access import Conflict
from conversations.rights import Held, holding


def link_wallet(*, by: User, wallet: str) -> User:
    """Let a person sign in with a proven wallet, too; Conflict if it is someone else's, or they have another."""

    def act(held: Held) -> User:
        me = held.person(by.pk)
        if me.wallet_address not in {None, wallet}:
            raise Conflict("You have another wallet. Unlink that one first.")
        return _give(held, me, wallet)

    return holding(act, people=lambda: _with_contacts(by.pk))


def unlink_wallet(*, by: User) -> User:
    """Let a wallet open the account no more; Conflict if nothing else would. Nothing happens if there is none."""

    def act(held: Held) -> User:
        me = held.person(by.pk)
        if me.wallet_address and not me.has_usable_password():
            raise Conflict("Choose a password first: without it and the wallet nobody could sign in to this account.")
        return _give(held, me, None)

    return holding(act, people=lambda: _with_contacts(by.pk))


def _give(held: Held, me: User, wallet: str | None) -> User:
    """Change the wallet of a person who is held, and tell them and their contacts."""
    if me.wallet_address == wallet:
        return me
    me.wallet_address = wallet
    try:
        with transaction.atomic():
            me.save(update_fields=["wallet_address"])
    except IntegrityError:
        raise Conflict("This wallet is someone else's.") from None
    announce_change(people=[user.pk for user in held.people], contacts=True)
    return me


def _with_contacts(user_id: UUID) -> Collection[UUID]:
    return {user_id, *Contact.objects.filter(other=user_id).values_list("user", flat=True)}
