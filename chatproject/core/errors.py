"""The errors by which commands refuse. Pages, REST and WebSocket each present them in their own form."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied

from chatproject.core.names import is_visible

REASON_LENGTH = 500


class Refused(Exception):
    """A refusal. `code` and `status` are part of the contract, `detail` is for people, `pointer` names the field."""

    code: ClassVar[str] = "unprocessable"
    status: ClassVar[int] = 422

    def __init__(self, detail: str, *, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer

    def errors(self) -> list[dict[str, Any]]:
        """Return the invalid fields, as problem documents list them."""
        return [{"pointer": self.pointer, "code": self.code, "detail": self.detail}] if self.pointer else []


class Invalid(Refused):
    code = "invalid"
    status = 400


class NotAllowed(Refused):
    code = "not_allowed"
    status = 403


class ConfirmationRequired(Refused):
    """The change concerns how a person signs in, who must confirm it first (`accounts/auth/confirmation.py`)."""

    code = "confirmation_required"
    status = 403


class Blocked(Refused):
    code = "blocked"
    status = 403


class Suspended(Refused, PermissionDenied):
    """The staff has suspended this person, who cannot sign in anywhere until that is lifted."""

    code = "suspended"
    status = 403

    @classmethod
    def because(cls, reason: str) -> "Suspended":
        """Include the reason, if one was given."""
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
    """Raise Invalid unless PostgreSQL can store a text unchanged."""
    try:
        is_storable = b"\0" not in text.encode()
    except UnicodeEncodeError:
        is_storable = False
    if not is_storable:
        raise Invalid("This text holds NUL or half a character.", pointer=pointer)


def require_reason(text: str, *, pointer: str = "/reason") -> str:
    """Trim a reason; Invalid unless it has 1 to 500 code points, at least one of them visible."""
    reason = text.strip()
    if not is_visible(reason) or len(reason) > REASON_LENGTH:
        raise Invalid(f"Give a reason, of at most {REASON_LENGTH} characters.", pointer=pointer)
    require_storable(reason, pointer=pointer)
    return reason
