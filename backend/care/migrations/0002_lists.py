"""The short lists among many tasks: what a store has to do, what is somebody's own, and what could not be done."""

from tortoise import migrations
from tortoise.migrations import operations as ops

INDEXES = """
CREATE INDEX care_task_todo ON care_task (store_id, made_at DESC, id DESC) WHERE state = 'open';
CREATE INDEX care_task_of_owner ON care_task (owner_id, made_at DESC, id DESC) WHERE owner_id IS NOT NULL;
CREATE INDEX care_task_failed ON care_task (made_at DESC, id DESC) WHERE state = 'failed';
"""


class Migration(migrations.Migration):
    """Index them; the table is as young as this release."""

    dependencies = [("care", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(INDEXES, reverse_sql="DROP INDEX care_task_failed, care_task_of_owner, care_task_todo"),
    ]
