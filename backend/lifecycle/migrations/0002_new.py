"""Runs over members whom nobody has looked at yet."""

from tortoise import migrations
from tortoise.migrations import operations as ops

KINDS = """
ALTER TABLE lifecycle_run DROP CONSTRAINT lifecycle_run_kind_check,
    ADD CONSTRAINT lifecycle_run_kind_check CHECK (kind IN ({}))
"""


class Migration(migrations.Migration):
    """Let a run have the kind ``new``; the table is small."""

    dependencies = [("lifecycle", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(KINDS.format("'all', 'due', 'new', 'preview'"), reverse_sql=KINDS.format("'all', 'due', 'preview'")),
    ]
