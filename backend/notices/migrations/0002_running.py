"""What is shown now is found without what is over, however much has been announced by then."""

from tortoise import migrations
from tortoise.migrations import operations as ops

INDEX = "CREATE INDEX notice_announcement_running ON notice_announcement (ends_at) WHERE state = 'published'"


class Migration(migrations.Migration):
    """Add an index of when announcements end."""

    dependencies = [("notices", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(INDEX, reverse_sql="DROP INDEX notice_announcement_running"),
    ]
