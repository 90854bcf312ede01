"""Coupons' entries by time, for statements of whole ranges of days."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Only those that statements of coupons add up: everything else costs nothing more to write.
INDEX = """
CREATE INDEX ledger_entry_coupons_by_time ON ledger_entry (at)
    WHERE kind IN ('house.coupons_issued', 'house.coupons_used', 'house.coupons_expired', 'house.coupons_voided',
                   'house.coupon_cost');
"""


class Migration(migrations.Migration):
    """Build it; entries cannot be written meanwhile, some seconds for ten million of them."""

    dependencies = [("ledger", "0003_rollups")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(INDEX, reverse_sql="DROP INDEX ledger_entry_coupons_by_time"),
    ]
