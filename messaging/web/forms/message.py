"""Forms for messages: send, forward, edit, react."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms

from accounts.models import User
from accounts.web.base_forms import CommandForm, LinesField
from chatproject.core import rate_limits
from chatproject.core.errors import Refused
from chatproject.core.ids import parse_uuid7, uuid7
from chatproject.core.rate_limits import quotas
from messaging.messages.edit import edit_message
from messaging.messages.json import MessageJSON
from messaging.messages.send import send_message

LARGEST_POSITION = 2**53


class IdField(forms.UUIDField):
    """A UUID of version 7 in its canonical form."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return parse_uuid7(str(value))
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class MessageForm(forms.Form):
    """A message. The page gives it its id, so that sending the form twice creates one message.

    The form only reads the fields; the command checks them.
    """

    status = 400
    """The HTTP status of a page that shows the form with its errors."""

    id = IdField(required=False, initial=uuid7, widget=forms.HiddenInput)
    read_through = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_POSITION, widget=forms.HiddenInput)
    text = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "class": "composer__text",
                "rows": 1,
                "placeholder": "Write a message",
                "required": True,
                "autocomplete": "off",
            }
        ),
    )

    def clean_text(self) -> str:
        """Replace CR LF, as browsers send line breaks, by LF."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n")

    def send(self, *, by: User, conversation_id: UUID, reply_to_id: UUID | None = None) -> MessageJSON | None:
        """Send the message; None if that was refused. Then the form shows why, and keeps its text with a new id."""
        target = {"conversation_id": conversation_id, "id": self.cleaned_data["id"], "reply_to_id": reply_to_id}
        try:
            rate_limits.require([(quotas.SEND, by.pk)])
            return send_message(by=by, text=self.cleaned_data["text"], **target).message
        except (Refused, rate_limits.RateLimited) as refusal:
            self.add_error("text", str(refusal))
            self.data = {**self.data, "id": str(uuid7())}
            self.status = refusal.status if isinstance(refusal, Refused) else 429
            return None


class ForwardForm(forms.Form):
    """The conversation to which a message is forwarded; the page gives the new message its id."""

    id = IdField(required=False, initial=uuid7, widget=forms.HiddenInput)
    to = IdField()


class EditForm(CommandForm):
    """A new text for a message."""

    fields_by_pointer: ClassVar = {"/text": "text"}
    prefix = "edit"
    text = LinesField(label="Text", strip=False)

    def __init__(self, data: Any = None, *, message: MessageJSON) -> None:
        super().__init__(data, initial={"text": message["text"]})
        self._message_id = UUID(message["id"])

    def obey(self, *, by: User, **fields: Any) -> MessageJSON:
        return edit_message(by=by, message_id=self._message_id, text=fields["text"])


class ReactionForm(forms.Form):
    """Any emoji; the command checks whether it is one."""

    emoji = forms.CharField(
        label="Another emoji", max_length=32, widget=forms.TextInput(attrs={"autocomplete": "off", "size": 4})
    )
