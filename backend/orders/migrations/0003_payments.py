"""Which payment of WeChat's an order waits for, or was paid by."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Let an order name its payment; an order of the release before this one has none."""

    dependencies = [("orders", "0002_after_sales")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE orders_order ADD COLUMN payment_id varchar(40)",
            reverse_sql="ALTER TABLE orders_order DROP COLUMN payment_id",
        ),
    ]
