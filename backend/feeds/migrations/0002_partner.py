"""A subscriber may be another company, which sees only members who agreed to it."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """A column with a constant default: instant; the release before tells everybody what it told before."""

    dependencies = [("feeds", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE feed_subscriber ADD COLUMN partner boolean NOT NULL DEFAULT false",
            reverse_sql="ALTER TABLE feed_subscriber DROP COLUMN partner",
        ),
    ]
