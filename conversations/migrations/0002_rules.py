"""What Django's constraints can't say: room for updates in place, and an owner who is in."""

from django.db import migrations

OWNER_IS_IN = """
CREATE FUNCTION conversations_owner_is_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    concerned uuid;
BEGIN
    IF TG_TABLE_NAME = 'conversations_conversation' THEN
        concerned := NEW.id;
    ELSE
        concerned := OLD.conversation_id;
    END IF;
    -- Whoever is checked second waits here for the first, and then sees what it has done.
    PERFORM 1 FROM conversations_conversation WHERE id = concerned FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT 1 FROM conversations_conversation c
        WHERE c.id = concerned AND c.owner_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM conversations_participant p
            WHERE p.conversation_id = c.id AND p.user_id = c.owner_id AND p.left_at IS NULL
        )
    ) THEN
        RAISE EXCEPTION 'the owner of a group is one of its present members'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'owner_is_in';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER owner_is_in AFTER INSERT OR UPDATE OF owner_id ON conversations_conversation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.owner_id IS NOT NULL)
    EXECUTE FUNCTION conversations_owner_is_in();
CREATE CONSTRAINT TRIGGER owner_stays_in AFTER DELETE OR UPDATE OF left_at, user_id ON conversations_participant
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION conversations_owner_is_in();
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE conversations_conversation SET (fillfactor = 70);"
            "ALTER TABLE conversations_participant SET (fillfactor = 70);",
            "ALTER TABLE conversations_conversation RESET (fillfactor);"
            "ALTER TABLE conversations_participant RESET (fillfactor);",
        ),
        migrations.RunSQL(
            OWNER_IS_IN,
            "DROP TRIGGER owner_is_in ON conversations_conversation;"
            "DROP TRIGGER owner_stays_in ON conversations_participant;"
            "DROP FUNCTION conversations_owner_is_in();",
        ),
    ]
