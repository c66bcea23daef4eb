from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Generation",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=1, editable=False)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="one_generation"),
                    models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="generations_begin_at_one"),
                ]
            },
        ),
        migrations.RunSQL(
            "INSERT INTO chatproject_generation (id, number) VALUES (1, 1)",
            reverse_sql=migrations.RunSQL.noop,
            hints={"reason": "one row of a table that nobody uses yet"},
        ),
    ]
