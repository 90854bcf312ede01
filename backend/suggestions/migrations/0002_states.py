"""What is in a box by its state: what waits is counted, and pages are read, without the rest of the box."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add an index."""

    dependencies = [("suggestions", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "CREATE INDEX suggestion_of_state ON suggestion (box_id, state, day DESC, id DESC)",
            reverse_sql="DROP INDEX suggestion_of_state",
        ),
    ]
