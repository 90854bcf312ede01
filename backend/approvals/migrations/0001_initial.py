"""Approvals: the table, then what the ORM cannot say."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE approval
    ADD CONSTRAINT approval_state CHECK (state IN ('waiting', 'approved', 'rejected', 'withdrawn', 'expired')),
    ADD CONSTRAINT approval_decided CHECK ((decided_by IS NULL) = (state IN ('waiting', 'expired'))
        AND (decided_by IS NULL) = (decided_at IS NULL)),
    ADD CONSTRAINT approval_two CHECK (state NOT IN ('approved', 'rejected') OR decided_by <> asked_by),
    ADD CONSTRAINT approval_one CHECK (state <> 'withdrawn' OR decided_by = asked_by),
    ADD CONSTRAINT approval_waits CHECK (expires_at > asked_at);
CREATE INDEX approval_newest ON approval (asked_at DESC, id DESC);
CREATE INDEX approval_of_store ON approval (store_id, asked_at DESC, id DESC);
CREATE INDEX approval_of_person ON approval (asked_by, asked_at DESC, id DESC);
CREATE INDEX approval_waiting ON approval (asked_at DESC, id DESC) WHERE state = 'waiting';
CREATE INDEX approval_due ON approval (expires_at) WHERE state = 'waiting';
CREATE FUNCTION approval_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('DELETE', 'TRUNCATE') OR OLD.state <> 'waiting'
        OR (OLD.id, OLD.kind, OLD.store_id, OLD.summary, OLD.reason, OLD.body, OLD.asked_by, OLD.asked_at,
            OLD.expires_at, OLD.key, OLD.request)
        IS DISTINCT FROM (NEW.id, NEW.kind, NEW.store_id, NEW.summary, NEW.reason, NEW.body, NEW.asked_by,
            NEW.asked_at, NEW.expires_at, NEW.key, NEW.request)
    THEN
        RAISE EXCEPTION 'an approval is decided once and never rewritten' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approval_stays BEFORE UPDATE OR DELETE ON approval FOR EACH ROW EXECUTE FUNCTION approval_stays();
CREATE TRIGGER approval_all_stay BEFORE TRUNCATE ON approval FOR EACH STATEMENT EXECUTE FUNCTION approval_stays();
"""

UNCHECK = """
DROP TRIGGER approval_stays ON approval;
DROP TRIGGER approval_all_stay ON approval;
DROP FUNCTION approval_stays();
"""


class Migration(migrations.Migration):
    """Add the table."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Approval",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("kind", fields.CharField(max_length=40)),
                ("state", fields.CharField(max_length=10)),
                ("store_id", fields.CharField(null=True, max_length=16)),
                ("summary", fields.CharField(max_length=200)),
                ("reason", fields.CharField(max_length=300)),
                ("body", fields.JSONField()),
                ("asked_by", fields.BigIntField()),
                ("asked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.BigIntField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("note", fields.CharField(default="", max_length=300)),
                ("key", fields.CharField(max_length=255)),
                ("request", fields.CharField(max_length=64)),
            ],
            options={
                "table": "approval",
                "app": "approvals",
                "unique_together": (("asked_by", "key"),),
                "pk_attr": "id",
                "table_description": "One request of somebody of the staff, and what came of it. Kept for good.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
