"""Whose a purchase is where what a group's people buy counts for its owner."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add a column that may be empty, and an index over none. Purchases of before count for who bought."""

    dependencies = [("rebates", "0003_runs_need_not_wait")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE rebate_purchase ADD COLUMN owner_id bigint;"
            "CREATE INDEX rebate_purchase_by_owner ON rebate_purchase (owner_id, day) WHERE owner_id IS NOT NULL",
            reverse_sql="ALTER TABLE rebate_purchase DROP COLUMN owner_id",
        ),
    ]
