"""What a conversation has expired, what was said last in it, and what of it a bot reads; nothing of it shows yet."""

from django.db import migrations, models

from chatproject.core.migrations import AddColumn


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("conversations", "0007_change_log")]

    operations = [
        AddColumn("conversation", "min_position", models.BigIntegerField(db_default=0, default=0, editable=False)),
        AddColumn("conversation", "last_spoken", models.BigIntegerField(db_default=0, default=0, editable=False)),
        AddColumn(
            "participant",
            "reads",
            models.CharField(blank=True, choices=[("all", "All"), ("addressed", "Addressed")], max_length=9, null=True),
        ),
    ]
