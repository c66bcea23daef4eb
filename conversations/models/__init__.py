"""The tables of conversations: conversations, participants, invitation links.

Every room of conversations and messaging may import them; they import `accounts.models` and `chatproject.core`.
"""

from conversations.models.conversation import DESCRIPTION_LENGTH, NAME_LENGTH, Conversation, direct_key
from conversations.models.invite_link import InviteLink
from conversations.models.participant import Departure, Participant

__all__ = [
    "DESCRIPTION_LENGTH",
    "NAME_LENGTH",
    "Conversation",
    "Departure",
    "InviteLink",
    "Participant",
    "direct_key",
]
