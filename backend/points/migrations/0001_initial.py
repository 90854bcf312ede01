"""Earning rules and their versions: the tables, then what the ORM cannot say."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE points_rule_version (
    rule_id  text        NOT NULL,
    version  integer     NOT NULL CHECK (version > 0),
    title    text        NOT NULL,
    terms    jsonb       NOT NULL,
    from_at  timestamptz NOT NULL,
    until_at timestamptz,
    PRIMARY KEY (rule_id, version),
    CONSTRAINT points_rule_version_window CHECK (from_at <= until_at)
);
CREATE UNIQUE INDEX points_rule_version_living ON points_rule_version (rule_id) WHERE until_at IS NULL;
CREATE INDEX points_rule_version_ended ON points_rule_version (until_at);
CREATE TABLE points_epoch (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    value bigint  NOT NULL
);
INSERT INTO points_epoch (value) VALUES (1);
"""

CHECKS = """
ALTER TABLE points_rule
    ADD CONSTRAINT points_rule_kind CHECK (kind IN ('base', 'promotion')),
    ADD CONSTRAINT points_rule_state CHECK (state IN ('draft', 'active', 'paused', 'ended'));
CREATE INDEX points_rule_newest ON points_rule (created_at DESC, id DESC);
CREATE INDEX points_change_newest ON points_change (subject, at DESC, id);
CREATE FUNCTION points_change_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed a rule is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER points_change_is_kept BEFORE UPDATE OR DELETE ON points_change
    FOR EACH ROW EXECUTE FUNCTION points_change_is_kept();
"""

UNCHECK = """
DROP TRIGGER points_change_is_kept ON points_change;
DROP FUNCTION points_change_is_kept();
DROP INDEX points_change_newest, points_rule_newest;
ALTER TABLE points_rule DROP CONSTRAINT points_rule_kind, DROP CONSTRAINT points_rule_state;
"""


class Migration(migrations.Migration):
    """Create the tables of earning rules."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Rule",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("kind", fields.CharField(max_length=10)),
                ("title", fields.CharField(max_length=40)),
                ("state", fields.CharField(max_length=8)),
                ("version", fields.IntField(default=0)),
                ("terms", fields.JSONField(default=dict)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "points_rule",
                "app": "points",
                "pk_attr": "id",
                "table_description": (
                    "One earning rule as it is written now; what it said when stands in its versions. Kept for good."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Change",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("subject", fields.CharField(max_length=40)),
                ("staff_id", fields.BigIntField()),
                ("action", fields.CharField(max_length=20)),
                ("detail", fields.JSONField(default=dict)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "points_change",
                "app": "points",
                "pk_attr": "id",
                "table_description": "What somebody of the staff did to a rule or a batch; only ever added to.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE points_epoch, points_rule_version"),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
