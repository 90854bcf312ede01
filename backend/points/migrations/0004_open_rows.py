"""What of a batch is not posted is counted and listed by an index: a batch may have a hundred thousand rows."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add the index; rows are few, and are written by the batches' own job."""

    dependencies = [("points", "0003_batches")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "CREATE INDEX points_batch_row_open ON points_batch_row (batch_id, state, row_no) WHERE state <> 'posted'",
            reverse_sql="DROP INDEX points_batch_row_open",
        ),
    ]
