"""Whose books were merged into another member's."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add a column that may be empty: no row is written, and a release that does not know it goes on."""

    dependencies = [("ledger", "0005_psp_by_time"), ("ledger", "0005_lot_rank")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE ledger_head ADD COLUMN merged boolean",
            reverse_sql="ALTER TABLE ledger_head DROP COLUMN merged",
        ),
    ]
