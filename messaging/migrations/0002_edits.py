import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from chatproject.core.migrations import AddColumn, AddIndexOnline, CreateTable
from messaging.retention.partitions import CreateModelBesideMessages


class CreateTableBesideMessages(CreateTable, CreateModelBesideMessages):
    """Create a table partitioned by the message's id, in one moment."""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("conversations", "0003_groups"),
        ("messaging", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTableBesideMessages(
            name="Reaction",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "message_id",
                        "user_id",
                        "emoji",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="reactions",
                        to="messaging.message",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("emoji", models.CharField(max_length=32)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        AddColumn(
            model_name="message",
            name="mentions",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), null=True, size=None),
        ),
        AddIndexOnline(
            model_name="message",
            index=models.Index(
                condition=models.Q(("mentions__isnull", False)),
                fields=["conversation", "position"],
                name="mentioning",
            ),
        ),
    ]
