"""What may be said to the routes about people."""

from django.core.validators import EmailValidator

from accounts.models import username_validators
from chatproject.fields import Strict, TextField


class Credentials(Strict):
    username = TextField(max_length=150)
    password = TextField(max_length=1000)
    device = TextField(max_length=200, required=False, allow_blank=True)


class Registration(Strict):
    username = TextField(validators=[])
    password = TextField(max_length=1000)
    display_name = TextField(max_length=80, required=False, trim_whitespace=True)
    email = TextField(max_length=254, required=False, allow_blank=True, validators=[])
    device = TextField(max_length=200, required=False, allow_blank=True)

    def validate_username(self, value: str) -> str:
        """Names are folded to lower case before anything is said of them."""
        folded = value.lower()
        for validator in username_validators:
            validator(folded)
        return folded

    def validate_email(self, value: str) -> str:
        if value:
            EmailValidator()(value)
        return value


class NewPassword(Strict):
    old_password = TextField(max_length=1000)
    new_password = TextField(max_length=1000)


class Refresh(Strict):
    refresh = TextField(max_length=4000)
