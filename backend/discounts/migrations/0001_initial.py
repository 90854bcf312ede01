"""Rules of discounts."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE discount_rule (
    id         varchar(16) PRIMARY KEY,
    title      varchar(40) NOT NULL,
    state      varchar(8)  NOT NULL CHECK (state IN ('draft', 'active', 'paused', 'ended')),
    version    integer     NOT NULL DEFAULT 0,
    terms      jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX discount_rule_newest ON discount_rule (created_at DESC, id DESC);
CREATE INDEX discount_rule_living ON discount_rule (id) WHERE state = 'active';

CREATE TABLE discount_change (
    id       bigint      PRIMARY KEY,
    subject  varchar(40) NOT NULL,
    staff_id bigint      NOT NULL,
    action   varchar(20) NOT NULL,
    detail   jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX discount_change_newest ON discount_change (subject, at DESC, id);
CREATE FUNCTION discount_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed a rule is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER discount_change_is_kept BEFORE UPDATE OR DELETE ON discount_change
    FOR EACH ROW EXECUTE FUNCTION discount_change_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables; without rules no price changes."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            TABLES,
            reverse_sql="DROP TABLE discount_change, discount_rule; DROP FUNCTION discount_change_is_kept()",
        ),
    ]
