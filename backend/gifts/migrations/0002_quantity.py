"""Several pieces of a gift in one redemption."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add the column, with a constant default: what was redeemed before was one piece each."""

    dependencies = [("gifts", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE gifts_redemption ADD COLUMN quantity integer NOT NULL DEFAULT 1 CHECK (quantity > 0)",
            reverse_sql="ALTER TABLE gifts_redemption DROP COLUMN quantity",
        ),
    ]
