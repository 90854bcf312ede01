"""Cases: their table, what the ORM cannot say of it, their steps and to-dos."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE feedback_step (
    case_id  varchar(20) NOT NULL REFERENCES feedback_case (id) ON DELETE RESTRICT,
    version  integer     NOT NULL CHECK (version > 0),
    action   varchar(12) NOT NULL,
    state    varchar(12) NOT NULL,
    by       varchar(8)  NOT NULL CHECK (by IN ('member', 'staff', 'clock')),
    staff_id bigint,
    text     text        NOT NULL CHECK (length(text) <= 2000),
    pictures jsonb       NOT NULL,
    detail   jsonb       NOT NULL,
    key      varchar(64),
    request  varchar(64),
    at       timestamptz NOT NULL,
    PRIMARY KEY (case_id, version),
    CONSTRAINT feedback_step_by CHECK ((by = 'staff') = (staff_id IS NOT NULL)),
    CONSTRAINT feedback_step_key CHECK ((key IS NULL) = (request IS NULL))
);
CREATE UNIQUE INDEX feedback_step_once ON feedback_step (key) WHERE key IS NOT NULL;
CREATE FUNCTION feedback_step_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what happened to a case is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER feedback_step_is_kept BEFORE UPDATE OR DELETE ON feedback_step
    FOR EACH ROW EXECUTE FUNCTION feedback_step_is_kept();

CREATE TABLE feedback_todo (
    case_id  varchar(20) NOT NULL REFERENCES feedback_case (id) ON DELETE RESTRICT,
    round    integer     NOT NULL,
    level    varchar(8)  NOT NULL CHECK (level IN ('manager', 'office')),
    store_id varchar(16),
    made_at  timestamptz NOT NULL,
    done_at  timestamptz,
    PRIMARY KEY (case_id, round, level)
);
CREATE INDEX feedback_todo_open ON feedback_todo (level, store_id, made_at) WHERE done_at IS NULL;
"""

DROP = "DROP TABLE feedback_todo, feedback_step; DROP FUNCTION feedback_step_is_kept()"

CHECKS = """
ALTER TABLE feedback_case
    ADD CONSTRAINT feedback_case_kind CHECK (kind IN ('complaint', 'opinion', 'praise', 'consultation')),
    ADD CONSTRAINT feedback_case_channel CHECK (channel IN ('phone', 'shop', 'miniapp', 'service')),
    ADD CONSTRAINT feedback_case_state CHECK (state IN ('received', 'assigned', 'in_progress', 'answered',
        'confirmed', 'reopened', 'closed')),
    ADD CONSTRAINT feedback_case_priority CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    ADD CONSTRAINT feedback_case_closed CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    ADD CONSTRAINT feedback_case_contact CHECK ((contact_sealed IS NULL) = (contact_index IS NULL)),
    ADD CONSTRAINT feedback_case_consent CHECK (contact_sealed IS NULL OR consent_at IS NOT NULL),
    ADD CONSTRAINT feedback_case_rating CHECK (rating BETWEEN 1 AND 5);
CREATE INDEX feedback_case_newest ON feedback_case (created_at DESC, id DESC);
CREATE INDEX feedback_case_of_store ON feedback_case (store_id, created_at DESC, id DESC);
CREATE INDEX feedback_case_of_member ON feedback_case (member_id, created_at DESC, id DESC)
    WHERE member_id IS NOT NULL;
CREATE INDEX feedback_case_due ON feedback_case (due_at, id)
    WHERE state IN ('received', 'assigned', 'in_progress', 'reopened');
CREATE INDEX feedback_case_to_close ON feedback_case (updated_at) WHERE state IN ('answered', 'confirmed');
CREATE INDEX feedback_case_contact ON feedback_case (contact_index) WHERE contact_index IS NOT NULL;
"""

UNCHECK = """
DROP INDEX feedback_case_contact, feedback_case_to_close, feedback_case_due, feedback_case_of_member,
    feedback_case_of_store, feedback_case_newest;
ALTER TABLE feedback_case DROP CONSTRAINT feedback_case_kind, DROP CONSTRAINT feedback_case_channel,
    DROP CONSTRAINT feedback_case_state, DROP CONSTRAINT feedback_case_priority,
    DROP CONSTRAINT feedback_case_closed, DROP CONSTRAINT feedback_case_contact,
    DROP CONSTRAINT feedback_case_consent, DROP CONSTRAINT feedback_case_rating;
"""


_AN_INSTANT = fields.DatetimeField(auto_now=False, auto_now_add=False)


def _instant(*, null: bool = False) -> Any:
    return fields.DatetimeField(auto_now=False, auto_now_add=False, null=True) if null else _AN_INSTANT


class Migration(migrations.Migration):
    """Create the tables of feedback cases."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Case",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=20)),
                ("kind", fields.CharField(max_length=12)),
                ("channel", fields.CharField(max_length=8)),
                ("state", fields.CharField(max_length=12)),
                ("priority", fields.CharField(max_length=8)),
                ("member_id", fields.BigIntField(null=True)),
                ("contact_sealed", fields.TextField(null=True, unique=False)),
                ("contact_index", fields.CharField(null=True, max_length=64)),
                ("consent_at", _instant(null=True)),
                ("store_id", fields.CharField(null=True, max_length=16)),
                ("reference", fields.CharField(max_length=40)),
                ("sku", fields.CharField(max_length=40)),
                ("excerpt", fields.CharField(max_length=60)),
                ("assigned_to", fields.BigIntField(null=True)),
                ("round", fields.IntField()),
                ("since", _instant()),
                ("due_at", _instant()),
                ("created_at", _instant()),
                ("updated_at", _instant()),
                ("answered_at", _instant(null=True)),
                ("answered_by", fields.BigIntField(null=True)),
                ("closed_at", _instant(null=True)),
                ("outcome", fields.CharField(null=True, max_length=12)),
                ("compensation", fields.CharField(max_length=200)),
                ("rating", fields.SmallIntField(null=True)),
                ("rating_text", fields.CharField(max_length=500)),
                ("version", fields.IntField()),
            ],
            options={
                "table": "feedback_case",
                "app": "cases",
                "pk_attr": "id",
                "table_description": "One case. Kept for good, but for a walk-in's name and number.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            TABLES, reverse_sql="DROP TABLE feedback_todo, feedback_step; DROP FUNCTION feedback_step_is_kept()"
        ),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
