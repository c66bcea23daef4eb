"""What a person writes on a page."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms

from accounts.models import User
from accounts.web.forms import CommandForm, LinesField
from chatproject.core import rate_limits
from chatproject.core.errors import Refused
from chatproject.core.ids import parse_uuid7, uuid7
from messaging.messages.edit import edit_message
from messaging.messages.json import MessageJSON
from messaging.messages.send import send_message

FURTHEST = 2**53


class IdField(forms.UUIDField):
    """A UUID of version 7, written in the canonical way."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return parse_uuid7(str(value))
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class MessageForm(forms.Form):
    """A message, named when the page was made, so that sending the form twice says a thing once.

    What a message may be is the command's to say; this only reads the fields.
    """

    status = 400
    """How a page with a form that was not right is answered."""

    id = IdField(required=False, initial=uuid7, widget=forms.HiddenInput)
    read_through = forms.IntegerField(required=False, min_value=0, max_value=FURTHEST, widget=forms.HiddenInput)
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
        """Forms send line breaks as CR LF; a message has LF."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n")

    def say(self, *, by: User, conversation_id: UUID, reply_to_id: UUID | None = None) -> MessageJSON | None:
        """Say it; None if that was refused. Then the form says why, and its text stays, under a new name."""
        named = {"conversation_id": conversation_id, "id": self.cleaned_data["id"], "reply_to_id": reply_to_id}
        try:
            rate_limits.require([(rate_limits.SEND, by.pk)])
            return send_message(by=by, text=self.cleaned_data["text"], **named).message
        except (Refused, rate_limits.RateLimited) as refusal:
            self.add_error("text", str(refusal))
            self.data = {**self.data, "id": str(uuid7())}
            self.status = refusal.status if isinstance(refusal, Refused) else 429
            return None


class ForwardForm(forms.Form):
    """Where a message is sent on to; named when the page was made, as a message is."""

    id = IdField(required=False, initial=uuid7, widget=forms.HiddenInput)
    to = IdField()


class EditForm(CommandForm):
    """Another text for a message."""

    fields_by_pointer: ClassVar = {"/text": "text"}
    prefix = "edit"
    text = LinesField(label="Text", strip=False)

    def __init__(self, data: Any = None, *, message: MessageJSON) -> None:
        super().__init__(data, initial={"text": message["text"]})
        self._message_id = UUID(message["id"])

    def obey(self, *, by: User, **fields: Any) -> MessageJSON:
        return edit_message(by=by, message_id=self._message_id, text=fields["text"])


class ReactionForm(forms.Form):
    """Any emoji; what counts as one is the command's to say."""

    emoji = forms.CharField(
        label="Another emoji", max_length=32, widget=forms.TextInput(attrs={"autocomplete": "off", "size": 4})
    )
