"""What the forms of all pages are built on."""

from typing import Any, ClassVar

from django import forms

from accounts.models import User
from chatproject.core.errors import Refused
from chatproject.core.rate_limits import RateLimited


class LinesField(forms.CharField):
    """Several lines: forms send their ends as CR LF, and here they are LF and count once."""

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class CommandForm(forms.Form):
    """A form that ends in one command; a refusal stands at the field it is about."""

    fields_by_pointer: ClassVar[dict[str, str]] = {}
    result: Any = None
    """What the command gave."""
    status = 400
    """How a page with a form that was not right is answered."""

    def carry_out(self, *, by: User) -> bool:
        """Do what the form asks for; False when something was wrong, and the form says what."""
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
