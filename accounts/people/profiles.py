"""How people, invitations and sessions are shown, as JSON."""

from collections.abc import Iterable
from typing import Annotated, NotRequired, TypedDict, cast
from uuid import UUID

from accounts.models import Contact, ContactInvitation, Session, User
from accounts.people.user_settings import SettingsJSON, settings_of
from chatproject.core.json_types import IdText, PathText, TimeText, one_of
from chatproject.core.realtime import timestamp


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
