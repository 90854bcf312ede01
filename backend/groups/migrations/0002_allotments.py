"""What principals of groups allot to their people."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE group_allotment (
    id           text        PRIMARY KEY,
    group_id     text        NOT NULL,
    principal_id bigint      NOT NULL,
    member_id    bigint      NOT NULL,
    kind         text        NOT NULL CONSTRAINT group_allotment_kind CHECK (kind IN ('stored', 'points')),
    amount       bigint      NOT NULL CHECK (amount > 0),
    taken        bigint      NOT NULL DEFAULT 0,
    staff_id     bigint,
    note         text        NOT NULL,
    at           timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT group_allotment_taken CHECK (taken BETWEEN 0 AND amount),
    CONSTRAINT group_allotment_two CHECK (principal_id <> member_id)
);
CREATE INDEX group_allotment_newest ON group_allotment (group_id, at DESC, id DESC);
CREATE INDEX group_allotment_by ON group_allotment (principal_id, at DESC);
CREATE INDEX group_allotment_to ON group_allotment (member_id, at DESC);
"""


class Migration(migrations.Migration):
    """Create the table."""

    dependencies = [("groups", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE group_allotment"),
    ]
