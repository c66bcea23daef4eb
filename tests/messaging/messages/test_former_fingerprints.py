"""Messages that former releases stored, with a fingerprint instead of a sealed digest, and what they leave behind."""

import base64
import hashlib
import hmac
import os
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings as known
from pytest_django import Settings

from accounts.models import User
from chatproject.core.encryption.ring import ring
from chatproject.core.encryption.sealing import seal
from chatproject.core.errors import IdConflict
from chatproject.core.ids import uuid7
from conversations.models import Conversation
from messaging.messages.edit import delete_message, edit_message
from messaging.messages.json import MessageJSON
from messaging.messages.send import send_message
from messaging.models import Message
from tests.messaging.helpers import say, send_by_socket


def subkey(key: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"parley fingerprint")
    return kdf.derive(base64.urlsafe_b64decode(key))


def fingerprint(by: User, conversation: Conversation, *content: bytes, key: str = "") -> bytes:
    """Make a fingerprint as former releases did."""
    parts = (by.pk.bytes, conversation.pk.bytes, *content)
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(subkey(key or known.CHAT_KEYS[0]), framed, hashlib.sha256)


def store(by: User, conversation: Conversation, text: str, *content: bytes, key: str = "") -> UUID:
    """Store a message as former releases did."""
    id = uuid7()
    Conversation.objects.filter(pk=conversation.pk).update(version=1, last_position=1)
    Message.objects.create(
        id=id,
        conversation=conversation,
        sender=by,
        position=1,
        version=1,
        body=seal(text, field="body", row=id, conversation=conversation.pk),
        fingerprint=fingerprint(by, conversation, *content or (b"text", text.encode(), b"", b""), key=key),
    )
    return id


def again(by: User, conversation: Conversation, id: UUID, text: str = "Hi", **fields: Any) -> MessageJSON:
    """Send a message again, which has to be recognised."""
    result = send_message(by=by, conversation_id=conversation.pk, text=text, id=id, **fields)
    assert result.repeated
    return result.message


def test_a_message_of_a_former_release_is_recognised(conversation: Conversation, alice: User) -> None:
    id = store(alice, conversation, "Hi")
    assert again(alice, conversation, id)["text"] == "Hi"
    with pytest.raises(IdConflict):
        say(alice, conversation, "Ho", id=id)


async def test_a_socket_recognises_it_too(committed: None, conversation: Conversation, alice: User) -> None:
    id = await sync_to_async(store)(alice, conversation, "Hi")
    result = await send_by_socket(by_id=alice.pk, conversation_id=conversation.pk, text="Hi", id=id)
    assert (result.repeated, result.message["text"]) == (True, "Hi")
    with pytest.raises(IdConflict):
        await send_by_socket(by_id=alice.pk, conversation_id=conversation.pk, text="Ho", id=id)


def test_it_is_recognised_when_it_was_edited_since(conversation: Conversation, alice: User) -> None:
    id = store(alice, conversation, "Hi")
    edit_message(by=alice, message_id=id, text="Hello")
    assert again(alice, conversation, id)["text"] == "Hello"
    with pytest.raises(IdConflict):
        say(alice, conversation, "Hello", id=id)


def test_a_deleted_one_leaves_nothing_to_guess_by(conversation: Conversation, alice: User) -> None:
    id = store(alice, conversation, "Hi")
    delete_message(by=alice, message_id=id)
    assert (Message.objects.get(pk=id).body, Message.objects.get(pk=id).fingerprint) == (None, None)
    assert again(alice, conversation, id)["deleted_at"]


def test_a_forward_of_a_former_release_is_recognised(
    group: Conversation, conversation: Conversation, alice: User
) -> None:
    source = UUID(say(alice, group, "Pass it on")["id"])
    id = store(alice, conversation, "Pass it on", b"forward", b"", source.bytes, b"")
    assert again(alice, conversation, id, text="", forward_of_id=source)["text"] == "Pass it on"
    with pytest.raises(IdConflict):
        say(alice, conversation, "Pass it on", id=id)


def test_it_is_recognised_under_an_older_key_and_under_one_that_was_taken_out(
    conversation: Conversation, alice: User, settings: Settings
) -> None:
    gone = base64.urlsafe_b64encode(os.urandom(32)).decode()
    id = store(alice, conversation, "Hi", key=gone)
    with pytest.raises(IdConflict):
        again(alice, conversation, id)
    settings.CHAT_KEYS = [*settings.CHAT_KEYS, gone]
    again(alice, conversation, id)
    settings.CHAT_KEYS = settings.CHAT_KEYS[:1]
    ring().keep_subkeys({b"gone": subkey(gone)})
    try:
        again(alice, conversation, id)
    finally:
        ring().keep_subkeys({})


# What is stored now


def test_equal_words_look_different_in_every_column(conversation: Conversation, alice: User) -> None:
    say(alice, conversation, "Hi")
    say(alice, conversation, "Hi")
    one, other = Message.objects.filter(kind="text").values()
    same = {name for name in one if one[name] == other[name] and one[name] is not None}
    assert same == {"conversation_id", "sender_id", "kind"}


def test_the_digest_is_that_of_what_was_first_sent(conversation: Conversation, alice: User) -> None:
    id = UUID(say(alice, conversation, "Hi")["id"])
    for text in ("Hello", "Hello!"):
        edit_message(by=alice, message_id=id, text=text)
    assert again(alice, conversation, id)["text"] == "Hello!"
    with pytest.raises(IdConflict):
        say(alice, conversation, "Hello!", id=id)
