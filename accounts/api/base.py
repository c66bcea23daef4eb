"""What all routes of the API share that know who is signed in."""

from rest_framework.request import Request

from accounts.models import Session, User


class SignedIn(Request):
    """A request of someone who is signed in."""

    user: User
    auth: Session
