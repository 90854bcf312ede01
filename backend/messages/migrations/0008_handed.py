"""When a delivery was handed to its channel: what a dead worker had only marked has not gone."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add the moment of handing over; a column without a default is there at once."""

    dependencies = [("messages", "0007_replies"), ("messages", "0007_statistics")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE message_delivery ADD COLUMN handed_at timestamptz",
            reverse_sql="ALTER TABLE message_delivery DROP COLUMN handed_at",
        ),
    ]
