"""Whoever notes a purchase holds its member, as a run does: nothing else needs to be waited for."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Drop a column that no released version reads. Instant."""

    dependencies = [("rebates", "0002_runs_wait")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE rebate_run DROP COLUMN IF EXISTS seen_from",
            reverse_sql="ALTER TABLE rebate_run ADD COLUMN seen_from bigint",
        ),
    ]
