from django.db import migrations, models

from chatproject.core.migrations import AddColumn, AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0007_avatars"),
    ]

    operations = [
        AddColumn(
            model_name="session",
            name="device_digest",
            field=models.BinaryField(max_length=32, null=True),
        ),
        AddIndexOnline(
            model_name="session",
            index=models.Index(
                condition=models.Q(("device_digest__isnull", False)), fields=["device_digest"], name="session_device"
            ),
        ),
    ]
