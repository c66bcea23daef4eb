from django.db import migrations

# What `chatproject.sessions.digest` gives. A key has 32 letters and a digest 40, so that no row is changed twice.
DIGEST_KEYS = """
UPDATE django_session SET session_key = left(encode(sha256(convert_to(session_key, 'UTF8')), 'hex'), 40)
WHERE length(session_key) = 32
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_session_language"),
        ("sessions", "0001_initial"),
    ]

    operations = [migrations.RunSQL(DIGEST_KEYS, migrations.RunSQL.noop)]
