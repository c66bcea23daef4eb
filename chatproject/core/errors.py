"""The errors by which commands refuse. Pages, REST and WebSocket each present them in their own form."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied


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
