"""Someone whom an admin has removed stays out until an admin adds them; links end with their maker's rank."""

from django.db import migrations, models

from chatproject.core.migrations import AddColumn, RunInBatches

# Only departures say why someone went, and they are kept for 30 days: whoever was removed before that is not known.
REMOVED = """
UPDATE conversations_participant p SET was_removed = true FROM conversations_departure d
WHERE d.user_id = p.user_id AND d.conversation_id = p.conversation_id AND d.reason = 'removed'
    AND p.left_at IS NOT NULL AND p.id = ANY(%(keys)s)
"""
REVOKED = """
UPDATE conversations_invitelink l SET revoked_at = now()
WHERE l.id = ANY(%(keys)s) AND l.revoked_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM conversations_participant p
    WHERE p.conversation_id = l.conversation_id AND p.user_id = l.created_by_id AND p.left_at IS NULL
        AND p.role = 'admin'
) AND NOT EXISTS (
    SELECT 1 FROM conversations_conversation c WHERE c.id = l.conversation_id AND c.owner_id = l.created_by_id
)
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0004_avatars")]

    operations = [
        AddColumn(
            model_name="participant",
            name="was_removed",
            field=models.BooleanField(db_default=False, default=False),
        ),
        RunInBatches("participant", REMOVED, remaining="left_at IS NOT NULL AND NOT was_removed"),
        RunInBatches("invitelink", REVOKED, remaining="revoked_at IS NULL"),
    ]
