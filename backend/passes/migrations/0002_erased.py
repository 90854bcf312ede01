"""Of a member who was erased, why staff gave or ended a card may be taken out; nothing else is rewritten."""

from tortoise import migrations
from tortoise.migrations import operations as ops

KEPT = """
CREATE OR REPLACE FUNCTION pass_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was promised and who changed it is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
"""

KEPT_OR_STRIPPED = """
CREATE OR REPLACE FUNCTION pass_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'pass_change' AND TG_OP = 'UPDATE' THEN
        IF NEW.detail = OLD.detail - 'reason'
           AND to_jsonb(NEW) - '{detail}'::text[] = to_jsonb(OLD) - '{detail}'::text[]
           AND EXISTS (SELECT FROM pass_card c JOIN member m ON m.id = c.member_id
                         JOIN member now ON now.id = coalesce(m.merged_into, m.id)
                        WHERE c.id = OLD.object_id AND now.status = 'erased') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'what was promised and who changed it is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    """Let the words go with their member."""

    dependencies = [("passes", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(KEPT_OR_STRIPPED, reverse_sql=KEPT),
    ]
