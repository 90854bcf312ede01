"""What was changed about members, by whom, from what to what; and a number that moves with it."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# Values are JSON, sealed. A row is never rewritten; an erasure takes the values out.
TABLE = """
CREATE TABLE member_change (
    id            bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id     bigint       NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
    at            timestamptz  NOT NULL,
    actor         varchar(8)   NOT NULL CHECK (actor IN ('member', 'staff', 'system', 'import', 'merge')),
    actor_id      bigint,
    field         varchar(60)  NOT NULL CHECK (field <> ''),
    before_sealed text,
    after_sealed  text,
    reason        varchar(200),
    erased        boolean      NOT NULL DEFAULT false
);
CREATE INDEX member_change_of ON member_change (member_id, id);

CREATE FUNCTION member_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.erased AND NEW.before_sealed IS NULL AND NEW.after_sealed IS NULL AND NEW.reason IS NULL
           AND (NEW.id, NEW.member_id, NEW.at, NEW.actor, NEW.actor_id, NEW.field)
               IS NOT DISTINCT FROM (OLD.id, OLD.member_id, OLD.at, OLD.actor, OLD.actor_id, OLD.field) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a history of changes is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER member_change_is_kept BEFORE UPDATE OR DELETE ON member_change
    FOR EACH ROW EXECUTE FUNCTION member_change_is_kept();
"""


class Migration(migrations.Migration):
    """Add the log, and a version of each member's profile; the release before writes neither and goes on."""

    dependencies = [("members", "0005_agreements")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Member", name="version", field=fields.IntField(default=1, db_default=1)),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE member_change; DROP FUNCTION member_change_is_kept()"),
    ]
