"""Drafts of batches are changed by whoever has read them as they are: each change counts a version."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add the version; a column with a constant default is there at once."""

    dependencies = [("messages", "0008_handed")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE message_batch ADD COLUMN version integer NOT NULL DEFAULT 1",
            reverse_sql="ALTER TABLE message_batch DROP COLUMN version",
        ),
    ]
