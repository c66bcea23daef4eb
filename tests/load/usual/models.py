"""Who talks with whom, and what they say."""

import secrets

from django.conf import settings
from django.db import models


def new_key() -> str:
    return secrets.token_hex(20)


class Token(models.Model):
    """What a device shows when it connects."""

    key = models.CharField(max_length=40, primary_key=True, default=new_key)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)

    def __str__(self) -> str:
        return f"a token of {self.user_id}"


class Conversation(models.Model):
    name = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return self.name or str(self.pk)


class Participant(models.Model):
    """A person's place in a conversation, and how far they have its messages."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    delivered_through = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="usual_one_place_each", fields=["conversation", "user"])]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.conversation_id}"


class Message(models.Model):
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"a message in {self.conversation_id}"
