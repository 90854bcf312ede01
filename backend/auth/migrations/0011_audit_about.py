"""Which stores' things a call of head office was about, so that those stores' people see it in their log."""

from tortoise import migrations
from tortoise.migrations import operations as ops

ABOUT = """
ALTER TABLE auth_audit ADD COLUMN about text[] NOT NULL DEFAULT '{}';
CREATE INDEX auth_audit_about ON auth_audit USING gin (about) WHERE about <> '{}';
"""
DROP = "DROP INDEX auth_audit_about; ALTER TABLE auth_audit DROP COLUMN about;"


class Migration(migrations.Migration):
    """A column with a constant default, and an index over no row yet: one look at the table."""

    dependencies = [("auth", "0010_made_by")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(ABOUT, reverse_sql=DROP),
    ]
