"""People as others see them, and how to name one."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NotRequired, TypedDict, cast
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Contact, ContactInvitation, Session, User
from accounts.people.privacy import SettingsJSON, settings_of
from accounts.usernames import fold_username
from accounts.wallets.ethereum import checksummed
from chatproject.core.json_types import IdText, PathText, TimeText, one_of
from chatproject.core.realtime import timestamp

Reference = Mapping[str, Any]
"""`{"id": UUID}`, `{"username": str}` or `{"wallet": str}`: exactly one of them."""


class UserJSON(TypedDict):
    """A person as others see them. A closed account has an empty username."""

    id: IdText
    username: str
    display_name: str
    about: str
    avatar_url: PathText | None
    is_bot: bool


class PersonJSON(UserJSON):
    """A person whom one may know: the wallet is shown to contacts."""

    wallet: NotRequired[str | None]


class OwnJSON(UserJSON):
    """A person as they see themselves."""

    wallet: str | None
    email: str
    settings: SettingsJSON


class InvitationJSON(TypedDict):
    """An invitation to be contacts."""

    id: IdText
    sender: UserJSON
    receiver: UserJSON
    state: Annotated[str, one_of("open", "accepted", "declined")]
    created_at: TimeText


class SessionJSON(TypedDict):
    """A device that a person is signed in on; `current` is the one that asks."""

    id: IdText
    name: str
    ip: str | None
    created_at: TimeText
    last_seen_at: TimeText
    current: bool


def avatar_path(id: UUID | None) -> str | None:
    """The path to the picture of a person or a group."""
    return f"/api/v1/media/{id}/thumbnail" if id else None


def user_json(user: User) -> UserJSON:
    """Show a person to others (contract, section 3). A closed account has neither a username nor a name of its own."""
    return {
        "id": str(user.pk),
        "username": "" if user.closed_at else user.username,
        "display_name": user.name,
        "about": user.about,
        "avatar_url": avatar_path(user.avatar_id),
        "is_bot": user.is_bot,
    }


def own_json(user: User) -> OwnJSON:
    """Show a person to themselves."""
    return {**user_json(user), "wallet": user.wallet_address, "email": user.email, "settings": settings_of(user)}


def contact_json(user: User) -> PersonJSON:
    """Show a person to their contacts."""
    return {**user_json(user), "wallet": user.wallet_address}


def stranger_json(user: User) -> PersonJSON:
    """Show a person to someone who is none of their contacts, in a list that may hold contacts too."""
    return cast("PersonJSON", user_json(user))


def people_json(users: Iterable[User], *, viewer: User) -> list[PersonJSON]:
    """Show people to someone who may know some of them."""
    users = list(users)
    known = set(Contact.objects.filter(user=viewer, other__in=users).values_list("other", flat=True))
    return [contact_json(user) if user.pk in known else stranger_json(user) for user in users]


def invitation_json(invitation: ContactInvitation) -> InvitationJSON:
    """Show an invitation to either side of it."""
    states = {None: "open", True: "accepted", False: "declined"}
    return {
        "id": str(invitation.pk),
        "sender": user_json(invitation.sender),
        "receiver": user_json(invitation.receiver),
        "state": states[invitation.accepted],
        "created_at": timestamp(invitation.created_at),
    }


def session_json(session: Session, *, current: Session) -> SessionJSON:
    """Show someone one of their sessions."""
    return {
        "id": str(session.pk),
        "name": session.name,
        "ip": session.ip,
        "created_at": timestamp(session.created_at),
        "last_seen_at": timestamp(session.last_seen_at),
        "current": session.pk == current.pk,
    }


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
