"""The request type of all REST routes that need a signed-in person."""

from rest_framework.request import Request

from accounts.models import Session, User


class SignedIn(Request):
    """A request of a signed-in person."""

    user: User
    auth: Session
