"""Until which last day members were warned, by what of: a day whose run did not come is made up for."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = "CREATE TABLE wallet_warned (what text PRIMARY KEY, through date NOT NULL)"


class Migration(migrations.Migration):
    """Create the table; it is empty, so that the first run warns of the one day that it always did."""

    dependencies = [("wallet", "0004_approval"), ("wallet", "0004_points_expiry")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE wallet_warned"),
    ]
