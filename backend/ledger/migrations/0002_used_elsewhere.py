"""When a member's code was last used at any other store than the one where it was used last."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Remember the use before the present store, which a scan there must not make forgotten."""

    dependencies = [("ledger", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(
            "ALTER TABLE ledger_head ADD COLUMN elsewhere_at timestamptz",
            reverse_sql="ALTER TABLE ledger_head DROP COLUMN elsewhere_at",
        ),
    ]
