"""When a key becomes current: once every running server process knows it, and not before."""

from random import Random

import pytest
from django.db import IntegrityError
from django.test.utils import override_settings

from chatproject.keys.preparation import make_current_by_hand, own_connection, register
from chatproject.keys.registry import Registered
from chatproject.models import EncryptionKey
from tests.chatproject.keys.helpers import Process, new_key, pass_time

OLD, NEW, NEWEST = new_key(), new_key(), new_key()


pytestmark = pytest.mark.usefixtures("empty_registry")


def states() -> dict[str, str]:
    return dict(EncryptionKey.objects.values_list("id", "state"))


def prepared(*keys: str, sealed_with: bytes | None = None) -> Registered:
    return register(own_connection(), Process(list(keys)).ring, sealed_with=sealed_with)


def id_of(key: str) -> str:
    return Process([key]).ids[0]


def watched(*processes: Process) -> None:
    """Let processes report for a minute and a half."""
    for _ in range(9):
        for each in processes:
            each.report()
        pass_time(10)


# The first entries


def test_on_an_empty_database_the_newest_key_is_current_at_once() -> None:
    prepared(NEW, OLD)
    assert states() == {id_of(NEW): "current", id_of(OLD): "retired"}
    prepared(NEW, OLD)
    assert states() == {id_of(NEW): "current", id_of(OLD): "retired"}


def test_where_rows_are_sealed_already_their_key_is_current() -> None:
    prepared(NEWEST, NEW, OLD, sealed_with=bytes.fromhex(id_of(NEW)))
    assert states() == {id_of(NEWEST): "known", id_of(NEW): "current", id_of(OLD): "retired"}


def test_a_lost_key_that_sealed_the_newest_row_is_missed() -> None:
    found = prepared(NEW, sealed_with=bytes.fromhex(id_of(OLD)))
    assert found.missing(Process([NEW]).ring, "current") == {id_of(OLD)}
    make_current_by_hand_with(NEW)
    assert states() == {id_of(OLD): "retired", id_of(NEW): "current"}


def make_current_by_hand_with(key: str) -> None:
    with override_settings(CHAT_KEYS=[key]):
        make_current_by_hand(id_of(key))


def test_without_preparation_the_oldest_key_is_current() -> None:
    Process([NEW, OLD]).report()
    assert states() == {id_of(NEW): "known", id_of(OLD): "current"}


def test_only_one_key_is_current() -> None:
    prepared(OLD)
    with pytest.raises(IntegrityError):
        EncryptionKey.objects.create(id="00000000", state="current")


# Promotion


def test_a_key_becomes_current_when_the_last_server_knows_it() -> None:
    prepared(OLD)
    first, second = Process([OLD]), Process([OLD])
    watched(first, second)
    first = Process([NEW, OLD])
    watched(first, second)
    assert states() == {id_of(NEW): "known", id_of(OLD): "current"}
    second = Process([NEW, OLD])
    watched(first, second)
    assert states() == {id_of(NEW): "current", id_of(OLD): "retired"}
    assert first.seals_with == second.seals_with == bytes.fromhex(id_of(NEW))


def test_a_server_that_has_died_is_not_waited_for_and_one_that_lives_is() -> None:
    prepared(OLD)
    dead, mine = Process([OLD]), Process([NEW, OLD])
    dead.report()
    for _ in range(5):
        mine.report()
        pass_time(10)
    assert mine.report().promoted is None
    pass_time(11)
    assert mine.report().promoted == id_of(NEW)


def test_who_comes_back_first_after_an_outage_takes_nobody_for_dead() -> None:
    prepared(OLD)
    other, mine = Process([OLD]), Process([NEW, OLD])
    watched(other, mine)
    pass_time(300)
    assert mine.report().promoted is None
    other.report()
    watched(other, mine)
    assert states()[id_of(NEW)] == "known"


def test_a_key_behind_the_current_one_is_never_promoted() -> None:
    prepared(NEW)
    watched(Process([NEW, OLD]))
    assert states() == {id_of(NEW): "current", id_of(OLD): "known"}


def test_of_two_new_keys_the_first_becomes_current() -> None:
    prepared(OLD)
    watched(Process([NEWEST, NEW, OLD]), Process([NEWEST, NEW, OLD]))
    assert states() == {id_of(NEWEST): "current", id_of(NEW): "known", id_of(OLD): "retired"}


def test_a_server_without_the_current_key_is_told_so() -> None:
    prepared(NEW, OLD)
    late = Process([OLD])
    late.report()
    assert late.refuses
    assert late.seals_with == bytes.fromhex(id_of(OLD))


def test_the_current_key_is_not_set_by_hand_before_all_servers_know_it() -> None:
    prepared(OLD)
    Process([OLD]).report()
    with pytest.raises(ValueError, match="1 running servers"):
        make_current_by_hand_with(NEW)
    with pytest.raises(ValueError, match="no key"):
        make_current_by_hand(id_of(NEW))
    assert states() == {id_of(OLD): "current"}


@pytest.mark.parametrize("seed", range(6))
def test_nobody_ever_seals_what_another_running_server_cannot_open(seed: int) -> None:
    """Servers are restarted with the new key or without it, killed and suspended, and the database goes away, in any
    order; those that run report every ten seconds while it is there.
    """
    chance = Random(seed)
    prepared(OLD)
    running: dict[int, Process] = {}
    sealed: set[bytes] = set()
    for step in range(60):
        number = chance.randrange(4)
        match chance.choice(["start", "kill", "report", "wait", "outage"]):
            case "start":
                running.pop(number, None)
                start(running, number, [NEW, OLD] if chance.random() * 60 < step else [OLD])
            case "kill":
                running.pop(number, None)
            case "report" if number in running:
                running[number].report()
            case "wait":
                wait(running, chance.choice([10, 30, 70]))
            case "outage":
                pass_time(chance.choice([20, 40, 300]))
        sealed |= {each.seals_with for each in running.values()}
        assert all(each.opens(key) for each in running.values() for key in sealed)
    for number in range(4):
        start(running, number, [NEW, OLD])
    wait(running, 150)
    assert {each.seals_with for each in running.values()} == {bytes.fromhex(id_of(NEW))}


def start(running: dict[int, Process], number: int, keys: list[str]) -> None:
    """Start a server, unless it refuses to start."""
    process = Process(keys)
    process.report()
    if not process.refuses:
        running[number] = process


def wait(running: dict[int, Process], seconds: int) -> None:
    """Let time pass, while every running server reports."""
    for _ in range(0, seconds, 10):
        pass_time(10)
        for each in running.values():
            each.report()


def test_one_that_was_suspended_seals_what_others_open_and_learns_what_it_lacks() -> None:
    prepared(OLD)
    suspended, other = Process([OLD]), Process([NEW, OLD])
    watched(suspended, other)
    for _ in range(8):
        pass_time(10)
        other.report()
    assert states()[id_of(NEW)] == "current"
    assert other.opens(suspended.seals_with)
    suspended.report()
    assert suspended.refuses
    assert other.opens(suspended.seals_with)
