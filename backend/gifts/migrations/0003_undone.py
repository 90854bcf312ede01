"""Which gifts that money was paid for came to nothing, and when, for the report of sales."""

from tortoise import migrations
from tortoise.migrations import operations as ops

INDEX = "CREATE INDEX gifts_redemption_undone ON gifts_redemption (ended_at) WHERE pay_fen > 0 AND ended_at IS NOT NULL"


class Migration(migrations.Migration):
    """Build the index, over the few that it is of."""

    dependencies = [("gifts", "0002_quantity")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(INDEX, reverse_sql="DROP INDEX gifts_redemption_undone"),
    ]
