"""What a server process does with the registry: it reports by itself, and follows what is registered."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from chatproject.core.database import connection_parameters
from chatproject.core.encryption import ring as rings
from chatproject.core.encryption.ring import KeyRing, fingerprint_subkey, ring
from chatproject.core.encryption.sealing import NO_ID, key_id_of, seal
from chatproject.keys import registry
from chatproject.keys import reporter as module
from chatproject.keys.former_subkeys import keep_subkeys
from chatproject.keys.preparation import UnknownKey
from chatproject.keys.registry import begin_with, ids_of, report
from chatproject.keys.reporter import Reporter
from tests.chatproject.keys.conftest import Run
from tests.chatproject.keys.helpers import new_key
from tests.support.together import together


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPORT_EVERY", 0.05)
    monkeypatch.setattr(module, "RETRY_EVERY", 0.05)


@pytest.fixture
def reporter(own_registry: Run) -> Iterator[Reporter]:
    """The reporter of this process, which the test starts."""
    mine = Reporter()
    yield mine
    mine.stop()


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline, "it never comes true"
        time.sleep(0.01)


def id_of(key: str) -> str:
    return ids_of(KeyRing([key]))[0]


def sealed_with() -> str:
    return key_id_of(seal("Hi", field="body", row=NO_ID, conversation=NO_ID)).hex()


def seen(run: Run) -> Any:
    return run("SELECT kind, key_ids, seen_at FROM chatproject_serverreport")


def test_it_reports_at_its_start_and_again_and_again(own_registry: Run, reporter: Reporter, settings: Settings) -> None:
    reporter.start("jobs")
    [(kind, key_ids, first)] = seen(own_registry)
    assert (kind, key_ids) == ("jobs", [id_of(settings.CHAT_KEYS[0])])
    assert reporter.is_ready
    until(lambda: seen(own_registry)[0][2] > first)
    reporter.start("jobs")
    assert len(seen(own_registry)) == 1


def test_it_does_not_start_without_the_current_key(own_registry: Run, reporter: Reporter) -> None:
    begin_on_own(id_of(missing := new_key()))
    with pytest.raises(UnknownKey, match=id_of(missing)):
        reporter.start("web")
    assert not reporter.is_started
    assert not seen(own_registry)


def begin_on_own(*ids: str) -> None:
    with psycopg.connect(**connection_parameters()) as own:
        begin_with(own, ids[0], ids)


def test_it_seals_with_the_key_that_has_become_current(
    own_registry: Run, reporter: Reporter, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "WATCHED_FOR", 0.3)
    settings.CHAT_KEYS = [new := new_key(), old := new_key()]
    begin_on_own(id_of(old))
    reporter.start("web")
    assert sealed_with() == id_of(old)
    until(lambda: sealed_with() == id_of(new))
    assert own_registry("SELECT id, state FROM chatproject_encryptionkey ORDER BY state") == [
        (id_of(new), "current"),
        (id_of(old), "retired"),
    ]


def test_it_says_once_that_it_lacks_the_current_key_and_is_not_ready(
    own_registry: Run, reporter: Reporter, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    reporter.start("web")
    other = id_of(new_key())
    own_registry("UPDATE chatproject_encryptionkey SET state = 'retired'")
    own_registry("INSERT INTO chatproject_encryptionkey (id, state) VALUES (%s, 'current')", other)
    until(lambda: not reporter.is_ready)
    assert sealed_with() == id_of(settings.CHAT_KEYS[0])
    time.sleep(0.2)
    assert [other in line.message for line in caplog.records if line.levelno == logging.CRITICAL] == [True]


def test_it_starts_while_the_database_is_away_and_reports_when_it_is_back(
    own_registry: Run, reporter: Reporter, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_KEYS = [new_key(), old := new_key()]
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nowhere")
        reporter.start("web")
        assert (reporter.is_started, reporter.is_ready, sealed_with()) == (True, False, id_of(old))
    until(lambda: reporter.is_ready)
    end_connections(own_registry)
    [(_, _, before)] = seen(own_registry)
    until(lambda: seen(own_registry)[0][2] > before)
    assert reporter.is_ready


def end_connections(run: Run) -> None:
    """Let the database close the connection of the reporter."""
    run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'parley keys'"
    )


def test_it_is_not_ready_when_it_could_not_report_for_so_long_that_nobody_waits_for_it(
    own_registry: Run, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "DEAD_AFTER", 0.3)
    reporter.start("web")
    assert reporter.is_ready
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nowhere")
        end_connections(own_registry)
        until(lambda: not reporter.is_ready)
    until(lambda: reporter.is_ready)


# Where nothing reports, as in commands


def test_a_command_looks_the_current_key_up_once(own_registry: Run, settings: Settings) -> None:
    settings.CHAT_KEYS = [new_key(), current := new_key(), new_key()]
    begin_on_own(id_of(current))
    assert sealed_with() == id_of(current)
    own_registry("UPDATE chatproject_encryptionkey SET state = 'retired'")
    assert sealed_with() == id_of(current)


async def test_an_event_loop_looks_nothing_up_and_uses_the_key_that_all_have_longest(
    own_registry: Run, settings: Settings
) -> None:
    settings.CHAT_KEYS = [new := new_key(), old := new_key()]
    await asyncio.to_thread(begin_on_own, id_of(new))
    assert sealed_with() == id_of(old)
    assert await asyncio.to_thread(sealed_with) == id_of(new)
    assert sealed_with() == id_of(new)


def test_a_command_without_the_database_tries_again_only_after_a_while(
    own_registry: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_KEYS = [new := new_key(), old := new_key()]
    begin_on_own(id_of(new))
    monkeypatch.setattr(rings, "LOOK_UP_EVERY", 0.2)
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nowhere")
        assert sealed_with() == id_of(old)
    assert sealed_with() == id_of(old)
    time.sleep(0.2)
    assert sealed_with() == id_of(new)


# The subkeys of fingerprints


def test_a_subkey_is_kept_without_its_key_sealed_anew_and_forgotten_in_time(
    own_registry: Run, reporter: Reporter, settings: Settings
) -> None:
    settings.CHAT_KEYS = [gone := new_key()]
    raw = next(iter(ring().keys.values()))
    begin_on_own(id_of(gone))
    with psycopg.connect(**connection_parameters()) as own:
        keep_subkeys(own, ring())
    # The next key becomes current while the former one is still there, then that one is taken out.
    settings.CHAT_KEYS = [new := new_key(), gone]
    own_registry("UPDATE chatproject_encryptionkey SET state = 'retired'")
    own_registry("INSERT INTO chatproject_encryptionkey (id, state) VALUES (%s, 'current')", id_of(new))
    between = Reporter()
    between.start("web")
    between.stop()
    settings.CHAT_KEYS = [new]
    reporter.start("web")
    assert list(ring().fingerprint_subkeys())[1:] == [fingerprint_subkey(raw)]
    own_registry("UPDATE chatproject_encryptionkey SET forget_subkey_at = now() - interval '1 second'")
    until(lambda: len(list(ring().fingerprint_subkeys())) == 1)
    assert own_registry("SELECT count(*) FROM chatproject_encryptionkey WHERE fingerprint_subkey IS NOT NULL") == [(0,)]


def test_a_subkey_is_stored_sealed_and_for_eight_days(own_registry: Run, settings: Settings) -> None:
    begin_on_own(id_of(settings.CHAT_KEYS[0]))
    with psycopg.connect(**connection_parameters()) as own:
        keep_subkeys(own, ring())
    [(sealed, days)] = own_registry(
        "SELECT fingerprint_subkey, round(extract(epoch FROM forget_subkey_at - now()) / 86400) "
        "FROM chatproject_encryptionkey"
    )
    assert days == 8
    assert key_id_of(sealed).hex() == id_of(settings.CHAT_KEYS[0])
    subkey = fingerprint_subkey(next(iter(ring().keys.values())))
    assert subkey not in sealed
    assert subkey.hex().encode() not in sealed


# At once


def test_processes_that_report_at_once_promote_once(own_registry: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = KeyRing([new_key(), new_key()])
    new, old = ids_of(keys)
    begin_on_own(old)
    servers = [uuid4() for _ in range(6)]
    start = Barrier(len(servers))

    def process(server: UUID) -> list[str]:
        with psycopg.connect(**connection_parameters(), autocommit=True) as own:
            report(own, server=server, kind="web", ring=keys)
            start.wait()
            monkeypatch.setattr(registry, "WATCHED_FOR", 0.0)
            found = [report(own, server=server, kind="web", ring=keys).promoted for _ in range(5)]
        return [id for id in found if id]

    promoted = together(*[lambda server=server: process(server) for server in servers])  # type: ignore[misc]
    assert [id for each in promoted for id in each] == [new]
