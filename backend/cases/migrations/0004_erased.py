"""Of a member who was erased, what was said in their cases may be taken out; nothing else of a step is rewritten."""

from tortoise import migrations
from tortoise.migrations import operations as ops

KEPT = """
CREATE OR REPLACE FUNCTION feedback_step_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what happened to a case is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
"""

KEPT_OR_STRIPPED = """
CREATE OR REPLACE FUNCTION feedback_step_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.text = '' AND NEW.pictures = '[]' AND NEW.detail = '{}'
           AND to_jsonb(NEW) - '{text,pictures,detail}'::text[] = to_jsonb(OLD) - '{text,pictures,detail}'::text[]
           AND EXISTS (SELECT FROM feedback_case c JOIN member m ON m.id = c.member_id
                         JOIN member now ON now.id = coalesce(m.merged_into, m.id)
                        WHERE c.id = OLD.case_id AND now.status = 'erased') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'what happened to a case is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    """Let the words go with their member."""

    dependencies = [("cases", "0003_assigned")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(KEPT_OR_STRIPPED, reverse_sql=KEPT),
    ]
