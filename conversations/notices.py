"""Notices: messages in a group that record what happened to the group.

A notice is a message, so `messaging` creates it. The commands of conversations reach that code through this module.
"""

from messaging.messages.notices import Notice, append_notice

__all__ = ["Notice", "append_notice"]
