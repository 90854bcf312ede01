"""Of a member who was erased, what staff wrote about them in asking and deciding may be taken out."""

from tortoise import migrations
from tortoise.migrations import operations as ops

STAYS = """
CREATE OR REPLACE FUNCTION approval_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
%s    IF TG_OP IN ('DELETE', 'TRUNCATE') OR OLD.state <> 'waiting'
        OR (OLD.id, OLD.kind, OLD.store_id, OLD.summary, OLD.reason, OLD.body, OLD.asked_by, OLD.asked_at,
            OLD.expires_at, OLD.key, OLD.request)
        IS DISTINCT FROM (NEW.id, NEW.kind, NEW.store_id, NEW.summary, NEW.reason, NEW.body, NEW.asked_by,
            NEW.asked_at, NEW.expires_at, NEW.key, NEW.request)
    THEN
        RAISE EXCEPTION 'an approval is decided once and never rewritten' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""

STRIPPED = """    IF TG_OP = 'UPDATE' THEN
        IF NEW.reason = '' AND NEW.note = ''
           AND to_jsonb(NEW) - '{reason,note}'::text[] = to_jsonb(OLD) - '{reason,note}'::text[]
           AND EXISTS (SELECT FROM member m JOIN member now ON now.id = coalesce(m.merged_into, m.id)
                        WHERE m.id IN ((OLD.body->>'member_id')::bigint, (OLD.body->>'source_id')::bigint,
                                       (OLD.body->>'target_id')::bigint)
                          AND now.status = 'erased') THEN
            RETURN NEW;
        END IF;
    END IF;
"""


class Migration(migrations.Migration):
    """Let the words go with their member."""

    dependencies = [("approvals", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(STAYS % STRIPPED, reverse_sql=STAYS % ""),
    ]
