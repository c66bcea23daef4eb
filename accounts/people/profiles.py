"""People, invitations and sessions as JSON."""

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
    """A person, with their wallet if the viewer is a contact."""

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
    """A device that a person is signed in on; `current` marks the session of the request."""

    id: IdText
    name: str
    ip: str | None
    created_at: TimeText
    last_seen_at: TimeText
    current: bool


def avatar_path(id: UUID | None) -> str | None:
    """Return the path of the picture of a person or a group."""
    return f"/api/v1/media/{id}/thumbnail" if id else None


def user_json(user: User) -> UserJSON:
    """Return a person as others see them (contract, section 3). A closed account has no username and no own name."""
    return {
        "id": str(user.pk),
        "username": "" if user.closed_at else user.username,
        "display_name": user.name,
        "about": user.about,
        "avatar_url": avatar_path(user.avatar_id),
        "is_bot": user.is_bot,
    }


def own_json(user: User) -> OwnJSON:
    """Return a person as they see themselves."""
    return {**user_json(user), "wallet": user.wallet_address, "email": user.email, "settings": settings_of(user)}


def contact_json(user: User) -> PersonJSON:
    """Return a person as their contacts see them."""
    return {**user_json(user), "wallet": user.wallet_address}


def stranger_json(user: User) -> PersonJSON:
    """Return a person as people other than their contacts see them, typed for lists that also contain contacts."""
    return cast("PersonJSON", user_json(user))


def people_json(users: Iterable[User], *, viewer: User) -> list[PersonJSON]:
    """Return people as `viewer` sees them: contacts with their wallet, others without."""
    users = list(users)
    contact_ids = set(Contact.objects.filter(user=viewer, other__in=users).values_list("other", flat=True))
    return [contact_json(user) if user.pk in contact_ids else stranger_json(user) for user in users]


def invitation_json(invitation: ContactInvitation) -> InvitationJSON:
    """Return an invitation as its sender and its receiver see it."""
    states = {None: "open", True: "accepted", False: "declined"}
    return {
        "id": str(invitation.pk),
        "sender": user_json(invitation.sender),
        "receiver": user_json(invitation.receiver),
        "state": states[invitation.accepted],
        "created_at": timestamp(invitation.created_at),
    }


def session_json(session: Session, *, current: Session) -> SessionJSON:
    """Return a session as its person sees it."""
    return {
        "id": str(session.pk),
        "name": session.name,
        "ip": session.ip,
        "created_at": timestamp(session.created_at),
        "last_seen_at": timestamp(session.last_seen_at),
        "current": session.pk == current.pk,
    }
