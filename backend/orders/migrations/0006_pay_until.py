"""Until when an order waits for its payment."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Let an order say until when it waits to be paid; one of the release before this does not."""

    dependencies = [("orders", "0005_delivery")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE orders_order ADD COLUMN pay_until timestamptz",
            reverse_sql="ALTER TABLE orders_order DROP COLUMN pay_until",
        ),
    ]
