"""What other apps do at the word of accounts, which knows none of them."""

from django.dispatch import Signal

service_message = Signal()
"""Write `text` to `user` in the name of the service account. Sent after the commit; messaging sends the message."""
