"""What is raised where a sealed value cannot be opened."""

from chatproject.core.errors import Unprocessable


class Unreadable(Unprocessable):
    """A sealed value that none of our keys opens: it was altered, moved to another row, or sealed with a lost key.

    `str()` is the reason, for the log and for operators; people are told only that it cannot be read.
    """

    def __init__(
        self, reason: str = "This was altered, moved here from elsewhere, or sealed with another key."
    ) -> None:
        super().__init__("What is stored here can't be read at the moment.")
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class MissingKey(Unreadable):
    """A sealed value whose key is none of CHAT_KEYS."""

    def __init__(self, key_id: bytes) -> None:
        super().__init__(
            f"This was sealed with the key {key_id.hex()}, which is not in CHAT_KEYS. "
            "Put that key back, behind the newest one."
        )
