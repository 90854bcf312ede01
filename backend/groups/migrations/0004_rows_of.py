"""Of whom the rows of tables are: erasing somebody, and proving it, looks for theirs."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Build an index over a table that is new."""

    dependencies = [("groups", "0003_batches")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "CREATE INDEX group_allot_row_of ON group_allot_row (person_id)",
            reverse_sql="DROP INDEX group_allot_row_of",
        ),
    ]
