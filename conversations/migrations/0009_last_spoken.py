"""The newest message that was said in each conversation: from now on the append keeps it.

A server of the former release that still runs does not; the job `correct_last_spoken` does what it leaves out.
"""

from django.db import migrations

from chatproject.core.migrations import RunInBatches

# The batch is locked, and `last_spoken` only grows: what is appended meanwhile is not undone.
NEWEST = """
UPDATE conversations_conversation c SET last_spoken = GREATEST(c.last_spoken, newest.position)
FROM unnest(%(keys)s::uuid[]) AS k(id) CROSS JOIN LATERAL (
    SELECT m.position FROM messaging_message m WHERE m.conversation_id = k.id AND m.kind <> 'notice'
    ORDER BY m.position DESC LIMIT 1
) newest
WHERE c.id = k.id AND c.last_spoken < newest.position
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("conversations", "0008_visibility"), ("messaging", "0011_visibility")]

    operations = [
        RunInBatches("conversation", NEWEST, remaining="last_position > last_spoken", rows=100),
    ]
