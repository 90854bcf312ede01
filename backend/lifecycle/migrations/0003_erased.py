"""Of a member who was erased, staff's notes on their levels may be taken out; nothing else is rewritten."""

from tortoise import migrations
from tortoise.migrations import operations as ops

KEPT = """
CREATE OR REPLACE FUNCTION lifecycle_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a history of levels is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
"""

KEPT_OR_STRIPPED = """
CREATE OR REPLACE FUNCTION lifecycle_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.note IS NULL
           AND to_jsonb(NEW) - '{note}'::text[] = to_jsonb(OLD) - '{note}'::text[]
           AND EXISTS (SELECT FROM member m
                         JOIN member now ON now.id = coalesce(m.merged_into, m.id)
                        WHERE m.id = OLD.member_id AND now.status = 'erased') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a history of levels is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    """Let the words go with their member."""

    dependencies = [("lifecycle", "0002_new")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(KEPT_OR_STRIPPED, reverse_sql=KEPT),
    ]
