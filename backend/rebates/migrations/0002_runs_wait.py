"""A run begins only when every transaction is over that may have noted a purchase without seeing it."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add a column that may be empty: the first transaction that certainly sees the run. Instant."""

    dependencies = [("rebates", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE rebate_run ADD COLUMN seen_from bigint",
            reverse_sql="ALTER TABLE rebate_run DROP COLUMN seen_from",
        ),
    ]
