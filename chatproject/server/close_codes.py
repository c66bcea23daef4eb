"""The codes with which a WebSocket is closed."""

from enum import IntEnum
from typing import Self


class CloseCode(IntEnum):
    """Why a socket is closed; `description` tells those who write clients what it means and what to do."""

    description: str

    def __new__(cls, code: int, description: str) -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.description = description
        return member

    INVALID_TEXT = 1007, "A frame was no UTF-8."
    TOO_LARGE = 1009, "A frame was larger than 1 MiB."
    RESTART = 1012, "The server restarts, or a backup was restored: come back with full jitter, 0.5 to 30 s."
    TOO_SLOW = 4000, "Too slow a reader: come back and catch up."
    TOKEN_EXPIRED = 4001, "The token has expired: refresh it and come back."
    TOO_FAST = 4008, "Too fast: come back, and more slowly."
    TOO_MANY_SOCKETS = 4029, "More than 50 sockets of one person."
    ABUSE = 4500, "Too many frames that make no sense; don't come back."
    NOT_AUTHENTICATED = 4501, "Not authenticated; sign in."
    SESSION_ENDED = 4503, "Signed out, the session ended, or disconnected by the staff; sign in."
    SUSPENDED = 4504, "The account is suspended."
