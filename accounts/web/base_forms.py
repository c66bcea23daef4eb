"""Base classes of the forms of all pages."""

from typing import Any, ClassVar

from django import forms

from accounts.models import User
from chatproject.core.errors import Refused
from chatproject.core.rate_limits import RateLimited


class LinesField(forms.CharField):
    """Text of several lines: browsers send line ends as CR LF; they become LF and count as one character."""

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class CommandForm(forms.Form):
    """A form that runs one command; a refusal is shown at the field that caused it."""

    fields_by_pointer: ClassVar[dict[str, str]] = {}
    result: Any = None
    """The result of the command."""
    status = 400
    """The HTTP status of a page whose form has errors."""

    def carry_out(self, *, by: User) -> bool:
        """Run the command; return False if something was wrong, with the errors in the form."""
        if not self.is_valid():
            return False
        try:
            self.result = self.obey(by=by, **self.cleaned_data)
        except Refused as refusal:
            self.add_error(self.fields_by_pointer.get(refusal.pointer or ""), refusal.detail)
        except RateLimited as refusal:
            self.add_error(None, str(refusal))
            self.status = 429
        except User.DoesNotExist:
            self.add_error(None, "Someone here has just closed their account.")
        return self.is_valid()

    def obey(self, *, by: User, **fields: Any) -> Any:
        raise NotImplementedError
