"""Every column that may hold something encrypted, and how: what a rotation of keys has to seal again."""

import base64
import re
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.core.mail import EmailMessage
from django.db.models import BinaryField, JSONField
from django.test.utils import override_settings
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import mail
from accounts.auth.factor_secrets import sealed_secret
from accounts.models import User
from chatproject.core.encryption.ring import KeyRing
from chatproject.core.encryption.sealing import key_id_of
from chatproject.keys.former_subkeys import keep_subkeys
from chatproject.keys.preparation import own_connection
from chatproject.models import EncryptionKey
from conversations.groups import update_group
from conversations.models import Conversation, Participant
from conversations.personal_settings import update_settings
from messaging.messages.edit import edit_message
from messaging.models import Attachment, Message, Report
from messaging.moderation.reports import report_message
from tests.chatproject.keys.helpers import new_key
from tests.checks.test_layers import ROOT
from tests.messaging.helpers import hang, say


def body(alice: User, bob: User, group: Conversation) -> Iterator[bytes]:
    """Bodies of messages, as they were sent and edited, and of notices."""
    say(alice, group)
    edit_message(by=alice, message_id=UUID(say(alice, group)["id"]), text="Hello")
    update_group(by=alice, conversation_id=group.pk, name="Garden!")
    yield from (bytes(each or b"") for each in Message.objects.values_list("body", flat=True))


def filename(alice: User, bob: User, group: Conversation) -> Iterator[bytes]:
    hang(alice, group)
    yield from (bytes(each) for each in Attachment.objects.values_list("filename", flat=True))


def draft(alice: User, bob: User, group: Conversation) -> Iterator[bytes]:
    update_settings(by=alice, conversation_id=group.pk, draft="Well")
    yield bytes(Participant.objects.exclude(draft=None).get().draft or b"")


def report(alice: User, bob: User, group: Conversation) -> Report:
    id = UUID(say(alice, group, "Buy this")["id"])
    return report_message(by=bob, message_id=id, reason="spam", comment="Again")[0]


def comment(alice: User, bob: User, group: Conversation) -> Iterator[bytes]:
    yield bytes(report(alice, bob, group).comment or b"")


def copy(alice: User, bob: User, group: Conversation) -> Iterator[bytes]:
    yield bytes(report(alice, bob, group).copy or b"")


def factors(alice: User, bob: User, group: Conversation) -> Iterator[bytes]:
    """Secrets of second factors: base64 after a prefix, in `secret` or `seed`; see `accounts.auth.factor_secrets`."""
    TOTP.activate(alice, generate_totp_secret())
    RecoveryCodes.activate(alice)
    yield from (sealed_secret(factor) for factor in Authenticator.objects.all())


def job(alice: User, bob: User, group: Conversation) -> Iterator[bytes]:
    """Mail that is not sent yet: base64 in `sealed`."""
    mail.Backend().send_messages([EmailMessage("Hi", "Hello", "a@example.org", ["b@example.org"])])
    yield base64.b64decode(ProcrastinateJob.objects.get(queue_name=mail.QUEUE).args["sealed"])


def subkey(alice: User, bob: User, group: Conversation) -> Iterator[bytes]:
    ring = KeyRing([new_key()])
    EncryptionKey.objects.create(id=next(iter(ring.keys)).hex(), state="known")
    keep_subkeys(own_connection(), ring)
    yield bytes(EncryptionKey.objects.exclude(fingerprint_subkey=None).get().fingerprint_subkey or b"")


Sealed = Callable[[User, User, Conversation], Iterator[bytes]]
SEALED: dict[str, Sealed] = {
    "messaging.Message.body": body,
    "messaging.Attachment.filename": filename,
    "messaging.Report.comment": comment,
    "messaging.Report.copy": copy,
    "conversations.Participant.draft": draft,
    "mfa.Authenticator.data": factors,
    "procrastinate.ProcrastinateJob.args": job,
    "chatproject.EncryptionKey.fingerprint_subkey": subkey,
}
"""What each column holds, written by the command that writes it. A browser's session may also hold an invitation link,
sealed, until its person has signed in; a link that no key opens is dropped.
"""
NOT_SEALED = {
    "messaging.Message.fingerprint": "an HMAC under a subkey of a key; former releases made it",
    "conversations.InviteLink.token_hash": "the SHA-256 of a random token",
    "accounts.Session.device_digest": "the SHA-256 of a random token",
    "accounts.User.settings": "choices of a person, no words",
    "accounts.AuditEntry.before": "what the staff sees anyway",
    "accounts.AuditEntry.after": "what the staff sees anyway",
}


SEALING = {
    "accounts/auth/factor_secrets.py",
    "accounts/mail.py",
    "chatproject/keys/former_subkeys.py",
    "conversations/personal_settings.py",
    "messaging/media/attachments.py",
    "messaging/messages/draft.py",
    "messaging/messages/edit.py",
    "messaging/messages/notices.py",
    "messaging/moderation/reports.py",
    "messaging/web/views/invite_link.py",
}
"""Every module that seals anything: what it stores is in one of the tables above."""


def test_each_module_that_seals_is_in_the_table() -> None:
    imports = re.compile(r"^from chatproject\.core\.encryption\.sealing import .*\bseal(_secret)?\b", re.MULTILINE)
    files = (
        path for app in ("accounts", "chatproject", "conversations", "messaging") for path in (ROOT / app).rglob("*.py")
    )
    assert {str(path.relative_to(ROOT)) for path in files if imports.search(path.read_text())} == SEALING


def test_each_column_that_may_hold_something_sealed_is_in_one_of_the_tables() -> None:
    columns = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, BinaryField | JSONField)
    }
    assert columns == {*SEALED, *NOT_SEALED}


@pytest.mark.parametrize("column", SEALED)
def test_what_is_sealed_names_its_key(column: str, alice: User, bob: User, group: Conversation) -> None:
    with override_settings(CHAT_KEYS=[key := new_key()]):
        Message.objects.all().delete()
        found = list(SEALED[column](alice, bob, group))
        assert found
        assert {key_id_of(value) for value in found} == {next(iter(KeyRing([key]).keys))}
