"""Encryption at rest."""

import base64
import hmac
import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from chatproject.core.encryption import (
    Mac,
    MissingKey,
    Unreadable,
    fingerprints,
    seal,
    seal_secret,
    unseal,
    unseal_secret,
)
from chatproject.core.ids import uuid7

HERE: dict[str, Any] = {"field": "body", "row": uuid7(), "conversation": uuid7()}


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@pytest.mark.parametrize(
    "text", ["Hi", "", "Grüße, 世界 👩‍👩‍👧", "\n", "x" * 16_000], ids=["Hi", "", "world", "break", "long"]
)
def test_a_sealed_text_opens_in_its_row_and_is_not_readable_as_stored(text: str) -> None:
    sealed = seal(text, **HERE)
    assert unseal(sealed, **HERE) == text
    assert len(text) < 2 or text.encode() not in sealed


def test_the_same_text_never_looks_the_same_twice() -> None:
    assert len({seal("Hi", **HERE) for _ in range(100)}) == 100


@pytest.mark.parametrize("moved", [{"field": "name"}, {"row": uuid7()}, {"conversation": uuid7()}], ids=str)
def test_a_sealed_text_opens_nowhere_else(moved: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        unseal(seal("Hi", **HERE), **HERE | moved)


def test_a_sealed_text_with_any_byte_altered_does_not_open() -> None:
    sealed = seal("Hi", **HERE)
    for index in range(len(sealed)):
        altered = sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]
        with pytest.raises(Unreadable):
            unseal(altered, **HERE)


def test_a_sealed_text_that_was_cut_off_does_not_open() -> None:
    sealed = seal("Hi", **HERE)
    for length in range(len(sealed)):
        with pytest.raises(Unreadable):
            unseal(sealed[:length], **HERE)


@pytest.mark.parametrize("moved", [{"purpose": "seed"}, {"owner": uuid7()}, {"owner": uuid7(), "purpose": "seed"}])
def test_a_secret_opens_for_its_own_purpose_and_owner_alone(moved: dict[str, Any]) -> None:
    about: dict[str, Any] = {"purpose": "totp", "owner": uuid7()}
    sealed = seal_secret("Hi", **about)
    assert unseal_secret(sealed, **about) == "Hi"
    with pytest.raises(Unreadable):
        unseal_secret(sealed, **about | moved)


def test_a_key_that_is_missing_is_told_from_damage(settings: Settings) -> None:
    sealed = seal("Hi", **HERE)
    settings.CHAT_KEYS = [new_key()]
    with pytest.raises(MissingKey, match="CHAT_KEYS"):
        unseal(sealed, **HERE)


def test_another_servers_key_opens_nothing(settings: Settings) -> None:
    sealed = seal("Hi", **HERE)
    settings.CHAT_KEYS = [new_key()]
    with pytest.raises(Unreadable):
        unseal(sealed, **HERE)


def test_a_new_key_seals_and_the_old_one_still_opens_until_it_is_removed(settings: Settings) -> None:
    old, new = new_key(), new_key()
    settings.CHAT_KEYS = [old]
    before = seal("before", **HERE)
    settings.CHAT_KEYS = [new, old]
    after = seal("after", **HERE)
    assert [unseal(before, **HERE), unseal(after, **HERE)] == ["before", "after"]
    settings.CHAT_KEYS = [new]
    assert unseal(after, **HERE) == "after"
    with pytest.raises(Unreadable):
        unseal(before, **HERE)


@pytest.mark.parametrize("keys", [[], ["c2hvcnQ="], [new_key(), base64.urlsafe_b64encode(b"x" * 31).decode()]])
def test_without_a_whole_key_nothing_is_sealed(keys: list[str], settings: Settings) -> None:
    settings.CHAT_KEYS = keys
    with pytest.raises(ImproperlyConfigured):
        seal("Hi", **HERE)


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 20_000])
def test_a_fingerprint_is_an_hmac(length: int) -> None:
    key, text = os.urandom(32), b"x" * length
    assert Mac(key).digest(text) == hmac.digest(key, text, "sha256")


FORKS = """
import os
from chatproject.core.encryption import Nonces
nonces = Nonces()
nonces.next()
child = os.fork()
os.write(1, nonces.next().hex().encode() + b'\\n')
if child:
    os.waitpid(child, 0)
"""


def test_a_child_process_draws_other_nonces_than_its_parent() -> None:
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "chatproject.settings"}
    said = subprocess.run([sys.executable, "-c", FORKS], env=environ, capture_output=True, text=True, check=True).stdout
    assert len(set(said.split())) == 2


def test_fingerprints_of_equal_texts_are_equal() -> None:
    assert fingerprints(b"alice", b"Hi") == fingerprints(b"alice", b"Hi")


@pytest.mark.parametrize("parts", [(b"alice", b"Ho"), (b"alic", b"eHi"), (b"alice", b"Hi", b""), (b"aliceHi",)])
def test_fingerprints_of_other_texts_differ(parts: tuple[bytes, ...]) -> None:
    assert fingerprints(*parts) != fingerprints(b"alice", b"Hi")


def test_a_fingerprint_needs_the_key_and_matches_under_the_old_one(settings: Settings) -> None:
    [before] = fingerprints(b"Hi")
    settings.CHAT_KEYS = [new_key(), *settings.CHAT_KEYS]
    newest, older = fingerprints(b"Hi")
    assert newest != before
    assert older == before
