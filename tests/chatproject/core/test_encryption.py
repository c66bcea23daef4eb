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

from chatproject.core.encryption.digests import digest, former_fingerprints
from chatproject.core.encryption.errors import MissingKey, Unreadable
from chatproject.core.encryption.ring import fingerprint_subkey, key_id, ring
from chatproject.core.encryption.sealing import (
    key_id_of,
    seal,
    seal_secret,
    unseal,
    unseal_digest,
    unseal_or_empty,
    unseal_secret,
)
from chatproject.core.ids import uuid7

HERE: dict[str, Any] = {"field": "body", "row": uuid7(), "conversation": uuid7()}


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def id_of(key: str) -> bytes:
    return key_id(base64.urlsafe_b64decode(key))


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


@pytest.mark.parametrize("digest", [b"", digest(b"Hi")], ids=["text", "digest and text"])
def test_a_sealed_text_with_any_byte_altered_does_not_open(digest: bytes) -> None:
    sealed = seal("Hi", **HERE, digest=digest)
    for index in range(len(sealed)):
        for bits in (1, 3):
            altered = sealed[:index] + bytes([sealed[index] ^ bits]) + sealed[index + 1 :]
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


def test_a_new_key_seals_once_it_is_current_and_the_old_one_still_opens_until_it_is_removed(settings: Settings) -> None:
    old, new = new_key(), new_key()
    settings.CHAT_KEYS = [old]
    before = seal("before", **HERE)
    settings.CHAT_KEYS = [new, old]
    ring().set_current(id_of(new))
    after = seal("after", **HERE)
    assert [unseal(before, **HERE), unseal(after, **HERE)] == ["before", "after"]
    settings.CHAT_KEYS = [new]
    assert unseal(after, **HERE) == "after"
    with pytest.raises(Unreadable):
        unseal(before, **HERE)


def test_of_several_keys_the_last_seals_until_one_is_current(settings: Settings) -> None:
    settings.CHAT_KEYS = [new_key(), old := new_key()]
    assert key_id_of(seal("Hi", **HERE)) == id_of(old)


def test_a_current_key_that_is_missing_here_changes_nothing(settings: Settings) -> None:
    settings.CHAT_KEYS = [mine := new_key()]
    ring().set_current(id_of(new_key()))
    assert key_id_of(seal("Hi", **HERE)) == id_of(mine)


def test_a_digest_is_sealed_with_the_text_and_opens_with_it(settings: Settings) -> None:
    sealed = seal("Hi", **HERE, digest=digest(b"Hi"))
    assert (unseal(sealed, **HERE), unseal_digest(sealed, **HERE)) == ("Hi", digest(b"Hi"))
    assert digest(b"Hi") not in sealed
    assert unseal_digest(seal("Hi", **HERE), **HERE) == b""
    settings.CHAT_KEYS = [new_key()]
    with pytest.raises(MissingKey):
        unseal_digest(sealed, **HERE)


def test_one_that_does_not_open_is_empty_where_it_is_shown_among_others(caplog: pytest.LogCaptureFixture) -> None:
    assert unseal_or_empty(seal("Hi", **HERE), **HERE) == "Hi"
    assert unseal_or_empty(seal("Hi", **HERE), **HERE | {"field": "name"}) == ""
    [line] = caplog.records
    assert str(HERE["row"]) in line.getMessage()


@pytest.mark.parametrize("value", [b"", b"\1", b"\3" + bytes(60), b"\1" + bytes(31), b"Hi" * 40], ids=str)
def test_what_is_not_sealed_names_no_key(value: bytes) -> None:
    with pytest.raises(Unreadable):
        key_id_of(value)


@pytest.mark.parametrize(
    "keys", [[], ["c2hvcnQ="], ["abc"], ["ä"], [new_key(), base64.urlsafe_b64encode(b"x" * 31).decode()]]
)
def test_without_a_whole_key_nothing_is_sealed(keys: list[str], settings: Settings) -> None:
    settings.CHAT_KEYS = keys
    with pytest.raises(ImproperlyConfigured):
        seal("Hi", **HERE)


FORKS = """
import os
from chatproject.core.encryption.nonces import Nonces
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


@pytest.mark.parametrize("parts", [(b"alice", b"Ho"), (b"alic", b"eHi"), (b"alice", b"Hi", b""), (b"aliceHi",)])
def test_digests_of_equal_parts_are_equal_and_others_differ(parts: tuple[bytes, ...]) -> None:
    assert digest(b"alice", b"Hi") == digest(b"alice", b"Hi")
    assert digest(*parts) != digest(b"alice", b"Hi")
    assert list(former_fingerprints(*parts)) != list(former_fingerprints(b"alice", b"Hi"))


def test_a_former_fingerprint_is_an_hmac_under_each_key_and_under_those_that_were_kept(settings: Settings) -> None:
    subkey = fingerprint_subkey(base64.urlsafe_b64decode(settings.CHAT_KEYS[0]))
    content = b"\0\0\0\2Hi"
    assert list(former_fingerprints(b"Hi")) == [hmac.digest(subkey, content, "sha256")]
    settings.CHAT_KEYS = [new_key(), *settings.CHAT_KEYS]
    ring().keep_subkeys({b"gone": b"k" * 32})
    _, second, kept = former_fingerprints(b"Hi")
    assert (second, kept) == (hmac.digest(subkey, content, "sha256"), hmac.digest(b"k" * 32, content, "sha256"))
