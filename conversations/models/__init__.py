"""The tables of conversations: conversations, participants, invitation links, the change log.

Every room of conversations and messaging may import them; they import `accounts.models` and `chatproject.core`.
"""

from conversations.models.change_log import ChangeLogEntry, FollowerMark
from conversations.models.conversation import DESCRIPTION_LENGTH, NAME_LENGTH, Conversation, direct_key
from conversations.models.invite_link import InviteLink
from conversations.models.participant import Departure, Participant

__all__ = [
    "DESCRIPTION_LENGTH",
    "NAME_LENGTH",
    "ChangeLogEntry",
    "Conversation",
    "Departure",
    "FollowerMark",
    "InviteLink",
    "Participant",
    "direct_key",
]
