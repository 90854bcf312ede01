"""How long points last, by what they come from; a source without a row lasts as the setting says."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = """
CREATE TABLE wallet_points_expiry (
    source     text        PRIMARY KEY,
    mode       text        NOT NULL,
    count      integer     NOT NULL CHECK (count BETWEEN 0 AND 120),
    month      integer     CHECK (month BETWEEN 1 AND 12),
    day        integer     CHECK (day BETWEEN 1 AND 31),
    updated_at timestamptz NOT NULL,
    CONSTRAINT wallet_points_expiry_source CHECK (source IN ('sale', 'recharge', 'reward', 'adjustment')),
    CONSTRAINT wallet_points_expiry_mode CHECK (mode IN ('month_end', 'year_end', 'months', 'fixed_day', 'never')),
    CONSTRAINT wallet_points_expiry_day CHECK ((mode = 'fixed_day') = (month IS NOT NULL AND day IS NOT NULL))
);
"""


class Migration(migrations.Migration):
    """Create the table; it is empty, so that nothing changes."""

    dependencies = [("wallet", "0003_spend")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE wallet_points_expiry"),
    ]
