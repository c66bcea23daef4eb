"""What `prepare` does with the keys, and what `manage.py keys` shows and changes."""

import io
from collections.abc import Callable
from uuid import uuid4

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from chatproject.core.encryption.ring import KeyRing, ring
from chatproject.keys.preparation import UnknownKey, prepare_keys
from chatproject.keys.registry import ids_of
from chatproject.models import EncryptionKey, ServerReport
from conversations.models import Conversation
from conversations.personal_settings import update_settings
from messaging.management.sealed_rows import newest_key
from messaging.models import Attachment, Message
from tests.chatproject.keys.helpers import new_key, pass_time
from tests.messaging.helpers import say, uploaded

pytestmark = pytest.mark.usefixtures("empty_registry")

OLD, NEW = new_key(), new_key()


def id_of(key: str) -> str:
    return ids_of(KeyRing([key]))[0]


def states() -> dict[str, str]:
    return dict(EncryptionKey.objects.values_list("id", "state"))


def keys(**options: str) -> str:
    said = io.StringIO()
    call_command("keys", stdout=said, **options)
    return said.getvalue()


def server(*known: str) -> None:
    now = timezone.now()
    ServerReport.objects.create(server=uuid4(), kind="web", key_ids=list(map(id_of, known)), since=now, seen_at=now)


Write = Callable[[User, Conversation], object]
WRITTEN: dict[str, Write] = {
    "a message": say,
    "a file": lambda alice, conversation: uploaded(alice),
    "a draft": lambda alice, conversation: update_settings(by=alice, conversation_id=conversation.pk, draft="Well"),
    "a second factor": lambda alice, conversation: TOTP.activate(alice, generate_totp_secret()),
}


@pytest.mark.parametrize("what", WRITTEN)
def test_an_upgrade_goes_on_with_the_key_that_has_sealed_and_knows_the_new_one(
    what: str, conversation: Conversation, alice: User, settings: Settings
) -> None:
    settings.CHAT_KEYS = [OLD]
    assert newest_key() is None
    WRITTEN[what](alice, conversation)
    settings.CHAT_KEYS = [NEW, OLD]
    prepare_keys(sealed_with=newest_key())
    assert states() == {id_of(NEW): "known", id_of(OLD): "current"}
    assert ring().current.hex() == id_of(OLD)


def test_on_an_upgrade_the_subkeys_of_fingerprints_are_kept(
    conversation: Conversation, alice: User, settings: Settings
) -> None:
    settings.CHAT_KEYS = [NEW, OLD]
    prepare_keys(sealed_with=None)
    assert not EncryptionKey.objects.exclude(fingerprint_subkey=None).exists()
    EncryptionKey.objects.all().delete()
    say(alice, conversation)
    prepare_keys(sealed_with=newest_key())
    assert EncryptionKey.objects.exclude(fingerprint_subkey=None).count() == 2


def test_damage_says_nothing_about_keys(conversation: Conversation, alice: User, settings: Settings) -> None:
    settings.CHAT_KEYS = [OLD]
    say(alice, conversation)
    uploaded(alice)
    Message.objects.update(body=b"damaged")
    assert newest_key() == bytes.fromhex(id_of(OLD))
    Attachment.objects.update(filename=b"damaged")
    assert newest_key() is None


def test_it_does_not_go_on_without_the_key_that_sealed_last(
    conversation: Conversation, alice: User, settings: Settings
) -> None:
    settings.CHAT_KEYS = [OLD]
    say(alice, conversation)
    settings.CHAT_KEYS = [NEW]
    for _ in range(2):
        with pytest.raises(UnknownKey, match=id_of(OLD)):
            prepare_keys(sealed_with=newest_key())
    assert id_of(OLD) in keys()
    keys(make_current=id_of(NEW))
    prepare_keys(sealed_with=newest_key())
    assert states() == {id_of(NEW): "current", id_of(OLD): "retired"}


def test_the_command_shows_states_and_who_knows_each_key(settings: Settings) -> None:
    settings.CHAT_KEYS = [OLD]
    prepare_keys(sealed_with=bytes.fromhex(id_of(OLD)))
    EncryptionKey.objects.create(id=id_of(NEW), state="known")
    server(OLD)
    server(NEW, OLD)
    old, new, *servers = keys().splitlines()
    assert old.startswith(f"{id_of(OLD)}  current  since ")
    assert old.endswith("known by 2 of 2 servers")
    assert new.startswith(f"{id_of(NEW)}  known ")
    assert new.endswith("known by 1 of 2 servers; not in CHAT_KEYS here")
    assert [line.startswith("web ") for line in servers] == [True, True]


def test_the_command_makes_no_key_current_that_a_server_does_not_know(settings: Settings) -> None:
    settings.CHAT_KEYS = [NEW, OLD]
    prepare_keys(sealed_with=bytes.fromhex(id_of(OLD)))
    server(OLD)
    with pytest.raises(CommandError, match="1 running server"):
        keys(make_current=id_of(NEW))
    with pytest.raises(CommandError, match="no key 00000000"):
        keys(make_current="00000000")


def test_the_command_counts_no_server_that_has_died(settings: Settings) -> None:
    settings.CHAT_KEYS = [NEW]
    with pytest.raises(UnknownKey):
        prepare_keys(sealed_with=bytes.fromhex(id_of(OLD)))
    server(OLD)
    pass_time(61)
    assert "known by 0 of 0 servers" in keys(make_current=id_of(NEW))
    assert states() == {id_of(NEW): "current", id_of(OLD): "retired"}
