"""A store's own part of the lists: without these its pages take as long as the chain has conversations."""

from tortoise import migrations
from tortoise.migrations import operations as ops

MAKE = """
CREATE INDEX conversation_of_store ON conversation (store_id, state, last_at DESC, id DESC);
CREATE INDEX conversation_queue_of_store ON conversation (store_id, waiting_since, id) WHERE state = 'waiting';
"""


class Migration(migrations.Migration):
    """Add the two indexes."""

    dependencies = [("conversations", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(MAKE, reverse_sql="DROP INDEX conversation_queue_of_store, conversation_of_store"),
    ]
