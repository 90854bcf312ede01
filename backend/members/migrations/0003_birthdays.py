"""Birthdays by day of the year."""

from tortoise import migrations
from tortoise.migrations import operations as ops

INDEX = """
CREATE INDEX member_birthday ON member (
    (extract(month FROM birthday)::int * 100 + extract(day FROM birthday)::int), id)
 WHERE birthday IS NOT NULL;
"""


class Migration(migrations.Migration):
    """Find whose birthday it is without reading every member (about a second for a million members)."""

    dependencies = [("members", "0002_lists")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(INDEX, reverse_sql="DROP INDEX member_birthday"),
    ]
