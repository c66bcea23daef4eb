"""Forms of the admin's actions, and how they report what a command refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from redis.exceptions import RedisError

from chatproject.core.errors import Refused
from chatproject.core.text import REASON_LENGTH


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=REASON_LENGTH, widget=forms.Textarea(attrs={"rows": 3}))


class MessageForm(forms.Form):
    words = forms.CharField(
        max_length=REASON_LENGTH, label="Your words to the person", widget=forms.Textarea(attrs={"rows": 3})
    )


@contextmanager
def reporting_refusals_on(form: forms.Form) -> Iterator[None]:
    """Add an error to a form if a command refuses, Redis does not answer, or the object no longer exists."""
    try:
        yield
    except Refused as refusal:
        form.add_error(None, refusal.detail)
    except RedisError:
        form.add_error(None, "Redis does not answer: nothing was done. Please try again.")
    except ObjectDoesNotExist:
        form.add_error(None, "This no longer exists.")
