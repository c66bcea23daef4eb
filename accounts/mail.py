"""Mail to a mail server goes out by a job: no request waits for that server, and nothing goes out for what was not
committed.

What a job keeps is encrypted, since links and codes in mail let people in, and its row goes when the mail is sent.
"""

import base64
from collections.abc import Sequence
from typing import Any

import orjson
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from procrastinate.contrib.django import app

from chatproject.core.database import without_connection
from chatproject.core.encryption import seal_secret, unseal_secret

DELIVER = "messaging.jobs.deliver_mail"
QUEUE = "mail"
FIELDS = ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to")


class Backend(BaseEmailBackend):
    """Django's mail backend that leaves each message to a job, in the caller's transaction if there is one."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        task = app.configure_task(DELIVER, queue=QUEUE)
        for message in email_messages:
            task.defer(sealed=seal_message(message))
        return len(email_messages)


def deliver(sealed: str) -> None:
    """Send what `seal_message` kept; OSError (smtplib's errors are among them) if the mail server does not take it."""
    message = open_message(sealed)
    with without_connection():
        message.send()


def seal_message(message: EmailMessage) -> str:
    """Encrypt a message, so that it can be kept."""
    if message.attachments:
        raise ValueError("Mail with attachments can't be left to a job.")
    kept: dict[str, Any] = {name: getattr(message, name) for name in FIELDS}
    kept |= {"headers": message.extra_headers, "subtype": message.content_subtype}
    kept["alternatives"] = [tuple(each) for each in getattr(message, "alternatives", ())]
    return base64.b64encode(seal_secret(orjson.dumps(kept, default=str).decode(), purpose="mail")).decode()


def open_message(sealed: str) -> EmailMessage:
    """Decrypt a message, ready to be sent to the mail server."""
    kept = orjson.loads(unseal_secret(base64.b64decode(sealed), purpose="mail"))
    subtype = kept.pop("subtype")
    message = EmailMultiAlternatives(**kept, connection=get_connection(settings.EMAIL_DELIVERY))
    message.content_subtype = subtype
    return message
