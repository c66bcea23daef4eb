"""The models of messaging: messages and reactions, receipts, media, reports, counts.

Every room of the app may import them, from here.
"""

from messaging.models.media import Attachment, Blob
from messaging.models.message import Message, Reaction
from messaging.models.message_count import MessageCount
from messaging.models.receipt import MessageStatus
from messaging.models.report import Report

__all__ = ["Attachment", "Blob", "Message", "MessageCount", "MessageStatus", "Reaction", "Report"]
