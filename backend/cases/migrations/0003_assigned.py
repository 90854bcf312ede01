"""Somebody's own cases are found without reading all of them."""

from tortoise import migrations
from tortoise.migrations import operations as ops

INDEX = (
    "CREATE INDEX feedback_case_assigned ON feedback_case (assigned_to, created_at DESC, id DESC)"
    " WHERE assigned_to IS NOT NULL"
)


class Migration(migrations.Migration):
    """Add an index of who sees to a case."""

    dependencies = [("cases", "0002_giving")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(INDEX, reverse_sql="DROP INDEX feedback_case_assigned"),
    ]
