"""Lists of members, newest first, that are found without reading all of them."""

from tortoise import migrations
from tortoise.migrations import operations as ops

INDEXES = """
CREATE INDEX member_newest ON member (created_at DESC, id);
CREATE INDEX member_newest_of_store ON member (store_id, created_at DESC, id);
CREATE INDEX member_newest_of_status ON member (status, created_at DESC, id);
"""


class Migration(migrations.Migration):
    """Give staff's lists an index each: of all, of a store, of a status (about a second for a million members)."""

    dependencies = [("members", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(INDEXES, reverse_sql="DROP INDEX member_newest, member_newest_of_store, member_newest_of_status"),
    ]
