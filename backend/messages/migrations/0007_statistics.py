"""Letters by when they were written: statistics of a few days need not read them all."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Index letters by their time; rows lie nearly in its order, so that a few pages do."""

    dependencies = [("messages", "0006_labels")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "CREATE INDEX message_letter_at ON message_letter USING brin (at)",
            reverse_sql="DROP INDEX message_letter_at",
        ),
    ]
