"""Of a member who was erased, why staff did something to an order may be taken out; nothing else is rewritten."""

from tortoise import migrations
from tortoise.migrations import operations as ops

KEPT = """
CREATE OR REPLACE FUNCTION orders_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who looked at an order is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
"""

KEPT_OR_STRIPPED = """
CREATE OR REPLACE FUNCTION orders_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.detail = OLD.detail - 'reason'
           AND to_jsonb(NEW) - '{detail}'::text[] = to_jsonb(OLD) - '{detail}'::text[]
           AND EXISTS (SELECT FROM orders_order o JOIN member m ON m.id = o.member_id
                         JOIN member now ON now.id = coalesce(m.merged_into, m.id)
                        WHERE o.id = OLD.order_id AND now.status = 'erased') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'who looked at an order is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    """Let the words go with their member."""

    dependencies = [("orders", "0008_spots")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(KEPT_OR_STRIPPED, reverse_sql=KEPT),
    ]
