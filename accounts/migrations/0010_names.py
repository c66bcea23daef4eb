"""What people are called, folded for the search: on a full table this neither rewrites rows at once nor holds a lock for
long. It may be started again where it was stopped."""

from typing import Any

import django.core.validators
from django.db import migrations, models

import accounts.models
from chatproject.core.text import fold

AT_ONCE = 1000


def fold_names(apps: Any, schema_editor: Any) -> None:
    User = apps.get_model("accounts", "User")
    waiting = User.objects.using(schema_editor.connection.alias).filter(folded_name="").exclude(display_name="")
    last = None
    while some := list((waiting.filter(pk__gt=last) if last else waiting).order_by("pk")[:AT_ONCE]):
        for user in some:
            user.folded_name = fold(user.display_name)
        User.objects.using(schema_editor.connection.alias).bulk_update(some, ["folded_name"])
        last = some[-1].pk


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0009_confirmations"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE accounts_user ADD COLUMN IF NOT EXISTS folded_name text NOT NULL DEFAULT ''",
            "ALTER TABLE accounts_user DROP COLUMN folded_name",
            state_operations=[
                migrations.AddField(
                    model_name="user",
                    name="folded_name",
                    field=accounts.models.FoldedNameField(db_default="", default="", editable=False),
                )
            ],
        ),
        migrations.RunPython(fold_names, migrations.RunPython.noop),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS folded_name_prefix", migrations.RunSQL.noop),
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY folded_name_prefix ON accounts_user (folded_name text_pattern_ops)",
            "DROP INDEX CONCURRENTLY IF EXISTS folded_name_prefix",
        ),
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS display_name_prefix",
            "CREATE INDEX CONCURRENTLY display_name_prefix ON accounts_user (lower(display_name) text_pattern_ops)",
        ),
        migrations.AlterField(
            model_name="user",
            name="username",
            field=models.CharField(
                max_length=30,
                unique=True,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[a-z0-9_.-]+\\Z", "Use the letters a to z, digits, and _ . - only."
                    ),
                    django.core.validators.RegexValidator("[a-z0-9]\\Z", "End with a letter or a digit."),
                    django.core.validators.MinLengthValidator(3),
                    django.core.validators.MaxLengthValidator(30),
                ],
            ),
        ),
    ]
