"""Timed prices of mistyped years, which no list of the mall could be read with, lie within our years."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# What lies outside as a whole never was anybody's price. The window keeps all of it that anybody lives through.
MEND = """
DELETE FROM mall_timed_price WHERE ends_at <= '2000-01-01 00:00:00+00' OR starts_at >= '2999-12-31 23:59:59+00';
UPDATE mall_timed_price
   SET starts_at = greatest(starts_at, '2000-01-01 00:00:00+00'), ends_at = least(ends_at, '2999-12-31 23:59:59+00')
 WHERE starts_at < '2000-01-01 00:00:00+00' OR ends_at > '2999-12-31 23:59:59+00';
"""


class Migration(migrations.Migration):
    """Mend them; since then none is taken."""

    dependencies = [("mall", "0008_media_use")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(MEND, reverse_sql=ops.RunSQL.noop),
    ]
