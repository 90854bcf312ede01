"""A table whose row always fails is tried some times, then it waits for somebody of the staff; it says which row."""

from tortoise import migrations
from tortoise.migrations import operations as ops

GIVEN_UP = """
ALTER TABLE registration_batch
    ADD COLUMN tries integer NOT NULL DEFAULT 0, ADD COLUMN failed_row bigint, ADD COLUMN failure text,
    DROP CONSTRAINT registration_batch_state,
    ADD CONSTRAINT registration_batch_state CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'failed'));
ALTER TABLE registration_import
    ADD COLUMN tries integer NOT NULL DEFAULT 0, ADD COLUMN failed_row bigint, ADD COLUMN failure text,
    DROP CONSTRAINT registration_import_state,
    ADD CONSTRAINT registration_import_state CHECK (state IN
        ('waiting', 'reading', 'checked', 'approving', 'writing', 'failed', 'done', 'refused', 'cancelled'));
"""
NOT_GIVEN_UP = """
UPDATE registration_batch SET state = 'running' WHERE state = 'failed';
ALTER TABLE registration_batch
    DROP COLUMN tries, DROP COLUMN failed_row, DROP COLUMN failure,
    DROP CONSTRAINT registration_batch_state,
    ADD CONSTRAINT registration_batch_state CHECK (state IN ('waiting', 'running', 'done', 'cancelled'));
UPDATE registration_import SET state = 'writing' WHERE state = 'failed';
ALTER TABLE registration_import
    DROP COLUMN tries, DROP COLUMN failed_row, DROP COLUMN failure,
    DROP CONSTRAINT registration_import_state,
    ADD CONSTRAINT registration_import_state CHECK (state IN
        ('waiting', 'reading', 'checked', 'approving', 'writing', 'done', 'refused', 'cancelled'));
"""


class Migration(migrations.Migration):
    """Add the columns and widen the checks; the tables are small."""

    dependencies = [("registration", "0005_waiting")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(GIVEN_UP, reverse_sql=NOT_GIVEN_UP),
    ]
