"""Signals that other apps receive: `accounts` imports none of them."""

from django.dispatch import Signal

service_message = Signal()
"""Ask for a message with `text` from the service account to `user`. Sent after the commit; `messaging` receives it."""
