"""Who bought last on a day is found by it."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Index purchases by their last day; the table is as young as this release."""

    dependencies = [("audience", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "CREATE INDEX audience_bought_last ON audience_bought (last_on, member_id)",
            reverse_sql="DROP INDEX audience_bought_last",
        ),
    ]
