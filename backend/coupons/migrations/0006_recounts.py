"""How many entries a counted day was counted from, so that a day that got more of them is counted anew."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add the number; null says that a day was counted before there was one, and has it counted anew once."""

    dependencies = [("coupons", "0005_days")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE coupon_day_done ADD COLUMN entries bigint",
            reverse_sql="ALTER TABLE coupon_day_done DROP COLUMN entries",
        ),
    ]
