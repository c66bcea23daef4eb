"""What the pages know of the person who looks at them."""

from django.http import HttpRequest

from accounts.models import User


class SignedInRequest(HttpRequest):
    """A request of someone who has signed in; `login_required` stands before every view that takes one."""

    user: User
