"""Sessions of browsers: their stored data can't be read with the database alone."""

from importlib import import_module

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.backends.db import SessionStore as DjangosStore
from django.contrib.sessions.models import Session as Row
from django.db import connection

from accounts.migrations import __name__ as migrations
from chatproject.server.browser_sessions import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> str:
    """The cookie of a browser for which something is kept."""
    store = SessionStore()
    store["wish"] = "tea"
    store.save()
    assert store.session_key is not None
    return store.session_key


def test_the_key_of_a_row_opens_nothing(key: str) -> None:
    row = Row.objects.get()
    assert row.session_key != key
    assert "wish" not in SessionStore(row.session_key)
    assert SessionStore(key)["wish"] == "tea"


def test_a_session_is_changed_renewed_and_ended_by_its_key(key: str) -> None:
    store = SessionStore(key)
    store["wish"] = "coffee"
    store.save()
    assert SessionStore(key)["wish"] == "coffee"
    store.cycle_key()
    assert "wish" not in SessionStore(key)
    assert SessionStore(store.session_key)["wish"] == "coffee"
    store.flush()
    assert not Row.objects.exists()


def test_asynchronous_callers_find_the_same(key: str) -> None:
    store = SessionStore(key)
    assert async_to_sync(store.aget)("wish") == "tea"
    async_to_sync(store.aflush)()
    assert not Row.objects.exists()


def test_the_update_signs_no_browser_out() -> None:
    former = DjangosStore()
    former["wish"] = "tea"
    former.save()
    migration = import_module(f"{migrations}.0013_session_digests")
    with connection.cursor() as cursor:
        cursor.execute(migration.DIGEST_KEYS)
        cursor.execute(migration.DIGEST_KEYS)
    assert SessionStore(former.session_key)["wish"] == "tea"
