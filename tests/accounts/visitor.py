"""A visitor without JavaScript, inside this process: cookies, pages, and forms that are sent as they stand there."""

import re
from html import unescape
from typing import Any

from django.conf import settings
from django.test import Client

from accounts.auth.sessions import start_session
from accounts.auth.tokens import SESSION_KEY
from accounts.models import User
from tests.support.browser import Form

PASSWORD = "a secret nobody guesses"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Visitor:
    """Someone's browser; without a person, a stranger's."""

    def __init__(self, user: User | None = None, device: str = FIREFOX) -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"User-Agent": device})
        if user:
            self.client.force_login(user)
            kept = self.client.session
            self.session = start_session(user=user, name=device, ip="203.0.113.7")
            kept[SESSION_KEY] = str(self.session.pk)
            kept.save()

    def get(self, path: str, *, follow: bool = True) -> Any:
        return self.client.get(path, follow=follow)

    def submit(self, path: str, action: str | None = None, **filled: Any) -> Any:
        """Open a page, fill in the form on it that posts to `action` (to the page itself unless told), and send it."""
        page = self.client.get(path, follow=True)
        action = action or page.request["PATH_INFO"]
        fields = Form(page.content.decode(), action).fields | filled
        sent = {name: value for name, value in fields.items() if value is not None}
        return self.client.post(action, sent, follow=True)

    def post(self, path: str, **filled: Any) -> Any:
        """Send what no page has a form for, with a good token."""
        token = Form(self.get("/settings/profile").content.decode(), "/settings/profile").fields["csrfmiddlewaretoken"]
        return self.client.post(path, {"csrfmiddlewaretoken": token, **filled}, follow=True)

    def sign_in(self, username: str, password: str = PASSWORD) -> Any:
        return self.submit("/accounts/login/", login=username, password=password)

    def confirm(self, password: str = PASSWORD) -> None:
        """Say once more who one is, as the pages about an account's safety ask for."""
        answer = self.submit("/accounts/reauthenticate/?next=/settings/security", password=password)
        assert here(answer) == "/settings/security"

    @property
    def is_in(self) -> bool:
        return here(self.get("/settings/profile")) == "/settings/profile"


def here(answer: Any) -> str:
    """The path at which someone has arrived."""
    return str(answer.request["PATH_INFO"])


def words(answer: Any) -> str:
    """What a page says, without its markup."""
    body = answer.content.decode().partition("<body")[2].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def link_in(text: str) -> str:
    """The path of the first link in a mail."""
    found = re.search(re.escape(settings.SITE_URL) + r"(/\S*[^/\s]\S*)", text)
    assert found, text
    return found[1]
