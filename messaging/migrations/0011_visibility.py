"""The bots that a message concerns, and an index of the messages that concern any."""

import django.contrib.postgres.fields
from django.db import migrations, models

from chatproject.core.migrations import AddColumn, AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("conversations", "0008_visibility"), ("messaging", "0010_message_counts")]

    operations = [
        AddColumn(
            "message",
            "addressed",
            django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), null=True, size=None),
        ),
        AddIndexOnline(
            "message",
            models.Index(
                fields=["conversation", "position"],
                name="addressing",
                condition=models.Q(("addressed__isnull", False)),
            ),
        ),
    ]
