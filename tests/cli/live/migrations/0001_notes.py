"""Columns on the busiest tables."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = ("ledger_head", "ledger_account", "ledger_document", "outbox", "auth_session")
ADD = ";".join(f"ALTER TABLE {table} ADD COLUMN note text NOT NULL DEFAULT ''" for table in TABLES)
DROP = ";".join(f"ALTER TABLE {table} DROP COLUMN note" for table in TABLES)


class Migration(migrations.Migration):
    """Add what the release before does not know, with a short wait for each lock."""

    initial = True

    operations = [  # noqa: RUF012
        ops.RunSQL("SET LOCAL lock_timeout = '1500ms'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(ADD, reverse_sql=DROP),
    ]
