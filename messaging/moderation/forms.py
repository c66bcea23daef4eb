"""Forms of the staff."""

from django import forms

from messaging.moderation.connections import ANNOUNCEMENT_LENGTH


class AnnouncementForm(forms.Form):
    text = forms.CharField(max_length=ANNOUNCEMENT_LENGTH, widget=forms.Textarea(attrs={"rows": 3}))
