from django.db import migrations, models


class Migration(migrations.Migration):
    """Both are quick on a table with data: the column is empty, and so is the index."""

    dependencies = [
        ("accounts", "0007_avatars"),
    ]

    operations = [
        migrations.AddField(
            model_name="session",
            name="device_digest",
            field=models.BinaryField(max_length=32, null=True),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("device_digest__isnull", False)), fields=["device_digest"], name="session_device"
            ),
        ),
    ]
