"""A table whose row always fails is tried some times, then it waits for somebody of the staff; it says which row."""

from tortoise import migrations
from tortoise.migrations import operations as ops

GIVEN_UP = """
ALTER TABLE points_batch
    ADD COLUMN tries integer NOT NULL DEFAULT 0, ADD COLUMN failed_row bigint, ADD COLUMN failure text,
    DROP CONSTRAINT points_batch_state,
    ADD CONSTRAINT points_batch_state CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'failed'));
"""
NOT_GIVEN_UP = """
UPDATE points_batch SET state = 'running' WHERE state = 'failed';
ALTER TABLE points_batch
    DROP COLUMN tries, DROP COLUMN failed_row, DROP COLUMN failure,
    DROP CONSTRAINT points_batch_state,
    ADD CONSTRAINT points_batch_state CHECK (state IN ('waiting', 'running', 'done', 'cancelled'));
"""


class Migration(migrations.Migration):
    """Add the columns and widen the checks; the tables are small."""

    dependencies = [("points", "0004_open_rows")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(GIVEN_UP, reverse_sql=NOT_GIVEN_UP),
    ]
