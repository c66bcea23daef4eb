"""The cast, with fixed parts: alice and bob talk, carol joins later, mallory is a stranger, staff moderates."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import override_settings, setup_databases, teardown_databases

from accounts.auth.sessions import start_session
from accounts.auth.token_rotation import start_tokens
from accounts.auth.tokens import issue_pair
from accounts.models import User
from conversations.creation import create_group, start_direct
from conversations.models import Conversation
from messaging.retention.partitions import make_partitions
from tests.support.client import Client
from tests.support.redis import empty_redis
from tests.support.restore import restore, until_noticed
from tests.support.server import Server, running
from tests.support.tables import empty_tables


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """Make the test database and its weeks. pytest-django's own would make none for tests that only commit."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
        make_partitions()
    yield
    with django_db_blocker.unblock():
        # Threads of asynchronous tests leave connections behind that nobody will use again.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_not_read() -> Iterator[None]:
    """Leave the static files to the servers: every test client would read them all again, before its first page."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let a test commit what it does, so that other processes and connections see it; leave nothing behind."""
    with django_db_blocker.unblock():
        yield
        empty_tables()
        empty_redis()
        connection.close()


@pytest.fixture(scope="session")
def _uvicorn(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock(), running("uvicorn") as server:
        yield server


@pytest.fixture(scope="session")
def _daphne(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock(), running("daphne") as server:
        yield server


@pytest.fixture(scope="session")
def _other_server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock(), running("uvicorn") as server:
        yield server


@pytest.fixture
def _server(request: pytest.FixtureRequest) -> Server:
    # Not a parameter of the session: pytest would run the tests in another order, and start what modules share twice.
    return request.getfixturevalue(f"_{getattr(request, 'param', 'uvicorn')}")


@pytest.fixture
def server(committed: None, _server: Server) -> Server:
    """A server that all tests share; to have another kind, parametrize `_server` with `indirect=True`."""
    return _server


@pytest.fixture
def other_server(committed: None, _other_server: Server) -> Server:
    """A second server, beside the one that all tests share."""
    return _other_server


@pytest.fixture
def restored(committed: None) -> Iterator[Callable[..., tuple[int, int]]]:
    """Turn a conversation back as a restore from a backup would: `restored(conversation.pk, to=3)`."""
    yield restore
    until_noticed()


@pytest.fixture
def data(request: pytest.FixtureRequest) -> None:
    """A database to work with: in a transaction that is rolled back, unless the test asks for `committed` data."""
    request.getfixturevalue("committed" if "committed" in request.fixturenames else "db")


@pytest.fixture
def person(data: None) -> Callable[..., User]:
    """Make a person; without a password nobody signs in as them by name."""
    return User.objects.create_user


@pytest.fixture
def alice(person: Callable[..., User]) -> User:
    return person("alice", display_name="Alice")


@pytest.fixture
def bob(person: Callable[..., User]) -> User:
    return person("bob", display_name="Bob")


@pytest.fixture
def carol(person: Callable[..., User]) -> User:
    return person("carol", display_name="Carol")


@pytest.fixture
def mallory(person: Callable[..., User]) -> User:
    return person("mallory", display_name="Mallory")


@pytest.fixture
def staff(person: Callable[..., User]) -> User:
    return person("staff", display_name="Staff", is_staff=True)


@pytest.fixture
def conversation(alice: User, bob: User) -> Conversation:
    """The direct conversation of alice and bob."""
    return start_direct(by=alice, to=bob)[0]


@pytest.fixture
def group(alice: User, bob: User, carol: User) -> Conversation:
    """A group that alice owns, with bob and carol."""
    return create_group(by=alice, name="Garden", participants=[bob, carol])


@pytest.fixture
def access() -> Callable[[User], str]:
    """Sign a person in on a new device and give the access token."""

    def sign_in(user: User) -> str:
        return issue_pair(start_tokens(session=start_session(user=user, name="a test")))["access"]

    return sign_in


@pytest.fixture
async def app(server: Server, access: Callable[[User], str]) -> AsyncIterator[Callable[[User], Awaitable[Client]]]:
    """Open a person's app on the shared server: `await app(alice)`."""
    async with AsyncExitStack() as opened:

        async def open_app(user: User) -> Client:
            token = await sync_to_async(access)(user)
            return await opened.enter_async_context(Client(server.url, access=token))

        yield open_app
