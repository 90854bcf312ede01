"""A line that a bill no longer has is no side of its item any more; such an item may have none."""

from tortoise import migrations
from tortoise.migrations import operations as ops

_DROP = "ALTER TABLE reconciliation_item DROP CONSTRAINT IF EXISTS reconciliation_item_sides"
_ADD = (
    "ALTER TABLE reconciliation_item ADD CONSTRAINT reconciliation_item_sides"
    " CHECK (theirs_fen IS NOT NULL OR ours_fen IS NOT NULL) NOT VALID"
)


class Migration(migrations.Migration):
    """Let an item outlive both of its sides: what was found about it stays to be read."""

    dependencies = [("reconciliation", "0002_settlements")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(_DROP, reverse_sql=_ADD),
    ]
