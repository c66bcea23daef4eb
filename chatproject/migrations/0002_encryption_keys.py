import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chatproject", "0001_generation"),
    ]

    operations = [
        migrations.CreateModel(
            name="ServerReport",
            fields=[
                ("server", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=16)),
                (
                    "key_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), size=None),
                ),
                ("since", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="EncryptionKey",
            fields=[
                ("id", models.CharField(editable=False, max_length=8, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("known", "Known"), ("current", "Current"), ("retired", "Retired")], max_length=7
                    ),
                ),
                ("known_since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("current_since", models.DateTimeField(null=True)),
                ("retired_since", models.DateTimeField(null=True)),
                ("fingerprint_subkey", models.BinaryField(null=True)),
                ("forget_subkey_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "current")), fields=("state",), name="one_current_key"
                    )
                ],
            },
        ),
    ]
