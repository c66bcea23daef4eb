"""Mail is sent by a job: no request waits for the mail server, and a transaction that is rolled back sends no mail.

The job stores the message encrypted, because links and codes in mail give access to accounts. The row of the job is
deleted when the mail has been sent.
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
from chatproject.core.encryption.sealing import seal_secret, unseal_secret

DELIVER = "messaging.jobs.deliver_mail"
QUEUE = "mail"
FIELDS = ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to")


class Backend(BaseEmailBackend):
    """A Django mail backend that defers a job for each message, in the caller's transaction if there is one."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        task = app.configure_task(DELIVER, queue=QUEUE)
        for message in email_messages:
            task.defer(sealed=seal_message(message))
        return len(email_messages)


def deliver(sealed: str) -> None:
    """Send a message that `seal_message` encrypted; raise OSError, as smtplib does, if the mail server refuses it."""
    message = open_message(sealed)
    with without_connection():
        message.send()


def seal_message(message: EmailMessage) -> str:
    """Encrypt a message, so that a job can store it."""
    if message.attachments:
        raise ValueError("Mail with attachments can't be sent by a job.")
    fields: dict[str, Any] = {name: getattr(message, name) for name in FIELDS}
    fields |= {"headers": message.extra_headers, "subtype": message.content_subtype}
    fields["alternatives"] = [tuple(each) for each in getattr(message, "alternatives", ())]
    return base64.b64encode(seal_secret(orjson.dumps(fields, default=str).decode(), purpose="mail")).decode()


def open_message(sealed: str) -> EmailMessage:
    """Decrypt a message and connect it to the backend that delivers it to the mail server."""
    fields = orjson.loads(unseal_secret(base64.b64decode(sealed), purpose="mail"))
    subtype = fields.pop("subtype")
    message = EmailMultiAlternatives(**fields, connection=get_connection(settings.EMAIL_DELIVERY))
    message.content_subtype = subtype
    return message
