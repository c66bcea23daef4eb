"""Notices: messages by which a group says what happened to it.

A notice is a message, so it is made where messages are; the commands of conversations reach it through this module.
"""

from messaging.messages.notices import Notice, append_notice

__all__ = ["Notice", "append_notice"]
