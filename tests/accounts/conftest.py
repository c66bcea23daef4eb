"""What tests of people share: a REST client inside this process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from django.core.wsgi import get_wsgi_application

from accounts.models import User

Rest = Callable[[User], httpx.Client]


@pytest.fixture
def rest(access: Callable[[User], str]) -> Iterator[Rest]:
    """Open a person's REST client: `rest(alice)`."""
    with ExitStack() as opened:

        def open_client(user: User) -> httpx.Client:
            transport = httpx.WSGITransport(app=get_wsgi_application())
            known = {"Authorization": f"Bearer {access(user)}"}
            client = httpx.Client(transport=transport, base_url="http://testserver/api/v1", headers=known)
            return opened.enter_context(client)

        yield open_client
