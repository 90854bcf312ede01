"""A table whose row always fails is tried some times, then it waits for somebody of the staff; it says which row."""

from tortoise import migrations
from tortoise.migrations import operations as ops

GIVEN_UP = """
ALTER TABLE group_allot_batch
    ADD COLUMN tries integer NOT NULL DEFAULT 0, ADD COLUMN failed_row bigint, ADD COLUMN failure text,
    DROP CONSTRAINT group_allot_batch_state,
    ADD CONSTRAINT group_allot_batch_state CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'failed'));
"""
NOT_GIVEN_UP = """
UPDATE group_allot_batch SET state = 'running' WHERE state = 'failed';
ALTER TABLE group_allot_batch
    DROP COLUMN tries, DROP COLUMN failed_row, DROP COLUMN failure,
    DROP CONSTRAINT group_allot_batch_state,
    ADD CONSTRAINT group_allot_batch_state CHECK (state IN ('waiting', 'running', 'done', 'cancelled'));
"""


class Migration(migrations.Migration):
    """Add the columns and widen the checks; the tables are small."""

    dependencies = [("groups", "0004_rows_of")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(GIVEN_UP, reverse_sql=NOT_GIVEN_UP),
    ]
