"""How a command refuses: one tree of errors, which every door turns into its own idiom."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied

from chatproject.core.names import is_visible

REASON_LENGTH = 500


class Refused(Exception):
    """A command said no. `code` and `status` are the contract's, `detail` is for people, `pointer` names the field."""

    code: ClassVar[str] = "unprocessable"
    status: ClassVar[int] = 422

    def __init__(self, detail: str, *, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer

    def errors(self) -> list[dict[str, Any]]:
        """The fields at fault, as problem documents list them."""
        return [{"pointer": self.pointer, "code": self.code, "detail": self.detail}] if self.pointer else []


class Invalid(Refused):
    code = "invalid"
    status = 400


class NotAllowed(Refused):
    code = "not_allowed"
    status = 403


class ConfirmationRequired(Refused):
    """This changes what lets a person in: they have to show first that it is them (`accounts/confirmation.py`)."""

    code = "confirmation_required"
    status = 403


class Blocked(Refused):
    code = "blocked"
    status = 403


class Suspended(Refused, PermissionDenied):
    """The staff has suspended this person; no door lets them in until that is lifted."""

    code = "suspended"
    status = 403

    @classmethod
    def because(cls, reason: str) -> "Suspended":
        """Say why, where a reason was given."""
        return cls(f"This account is suspended. Reason: {reason}" if reason else "This account is suspended.")


class Conflict(Refused):
    code = "conflict"
    status = 409


class IdConflict(Refused):
    code = "id_conflict"
    status = 409


class Gone(Refused):
    code = "gone"
    status = 410


class TooLarge(Refused):
    code = "too_large"
    status = 413


class UnsupportedMedia(Refused):
    code = "unsupported_media"
    status = 415


class Unprocessable(Refused):
    pass


class Unavailable(Refused):
    code = "unavailable"
    status = 503


def require_storable(text: str, *, pointer: str) -> None:
    """Invalid unless PostgreSQL can keep a text as it is."""
    try:
        is_storable = b"\0" not in text.encode()
    except UnicodeEncodeError:
        is_storable = False
    if not is_storable:
        raise Invalid("This text holds NUL or half a character.", pointer=pointer)


def require_reason(text: str, *, pointer: str = "/reason") -> str:
    """Trim a reason: 1 to 500 code points with something to see among them; Invalid otherwise."""
    reason = text.strip()
    if not is_visible(reason) or len(reason) > REASON_LENGTH:
        raise Invalid(f"Give a reason, of at most {REASON_LENGTH} characters.", pointer=pointer)
    require_storable(reason, pointer=pointer)
    return reason
